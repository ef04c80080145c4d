import { pause } from "../backoff.js";
import { within } from "../within.js";
import { LeaseConflict, type Lease, type LeaseRecord } from "./lease.js";
import { Term } from "./term.js";

/** Milliseconds. */
export interface ElectionTiming {
  /** How long others wait for a renewal before they take the lead. */
  readonly lease: number;
  /**
   * After how long without a renewal the leader gives up by itself. What is left of the lease is the time in which a request that is under way then must have ended.
   */
  readonly renewDeadline: number;
  /** Between two renewals, and between two looks of who follows. */
  readonly retry: number;
}

/** Lease of 15 s, renewed every 2 s, given up after 10 s: what Kubernetes' own controllers take. */
const USUAL_SECONDS = 15;

/**
 * The usual timing; shorter where registrations live short, so that those that end by themselves outlive a change of leader.
 *
 * @param registryTtl seconds
 */
export function electionTiming(registryTtl: number): ElectionTiming {
  const lease = Math.min(USUAL_SECONDS, Math.floor(registryTtl / 2)) * 1000;
  return { lease, renewDeadline: Math.floor((lease * 2) / 3), retry: Math.floor((lease * 2) / 15) };
}

/** Who is told of the election. */
export interface ElectionEvents {
  readonly elected: () => void;
  /** The term is over: given back, so that another can lead at once, or lost. */
  readonly over: (outcome: "released" | "lost") => void;
  /** Somebody else leads now, as far as this replica sees; undefined: nobody. */
  readonly leader: (identity: string | undefined) => void;
  /** A renewal, or a try to take the lead, failed; it is tried again. */
  readonly failed: (error: unknown) => void;
}

interface Observation {
  readonly record: LeaseRecord;
  /** When this record was first seen, on this replica's own clock. */
  readonly since: number;
}

/**
 * Has one of several replicas lead, by a Lease: the algorithm of client-go's `leaderelection`.
 *
 * Time is measured on each replica's own monotonic clock, from when it *saw* a renewal; the times that stand in the Lease are never compared, so clocks may differ
 * (only their rates may not, by more than the third of a lease that is left when a leader gives up). Every write is of the version that was read, so of two that
 * take a lease at the same time one fails.
 *
 * @see https://pkg.go.dev/k8s.io/client-go/tools/leaderelection
 */
export class Elector {
  private observed: Observation | undefined;
  private current: Term | undefined;

  constructor(
    private readonly lease: Lease,
    /** Unique to this process: one that was started anew in the same pod is another. */
    readonly identity: string,
    private readonly timing: ElectionTiming,
    private readonly events: ElectionEvents,
    private readonly now: () => number = () => performance.now(),
    private readonly random: () => number = Math.random,
  ) {}

  /** Whether this replica leads, and nobody else can. */
  get leading(): boolean {
    return this.current?.holds ?? false;
  }

  /** Who holds the Lease, as this replica saw last. */
  get leader(): string | undefined {
    return this.observed?.record.holder;
  }

  /**
   * Takes part until `signal` is aborted; then a lead is given back, so that another needn't wait for its end.
   *
   * @param lead what the leader does; it ends soon after its term's signal is aborted, and the next term begins no sooner than it has ended
   * @throws what `lead` throws; the lead is given back before
   */
  async run(lead: (term: Term) => Promise<void>, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const term = await this.elect(signal);
      if (term === undefined) {
        return;
      }
      this.current = term;
      this.events.elected();
      const stop = (): void => {
        term.end();
      };
      signal.addEventListener("abort", stop);
      try {
        await Promise.all([this.keep(term), ended(lead(term), term)]);
      } finally {
        signal.removeEventListener("abort", stop);
        term.end();
        const outcome = term.holds ? "released" : "lost";
        if (outcome === "released") {
          await this.release();
        }
        this.current = undefined;
        this.events.over(outcome);
      }
    }
  }

  /** Waits until this replica leads; undefined where it is stopped before. */
  private async elect(signal: AbortSignal): Promise<Term | undefined> {
    while (!signal.aborted) {
      try {
        const validUntil = await this.limited(signal, (limited) => this.take(limited));
        if (validUntil !== undefined) {
          return new Term(validUntil, this.now);
        }
      } catch (error) {
        // Of several that saw the same Lease end one was faster.
        if (!isAborted(signal) && !(error instanceof LeaseConflict)) {
          this.events.failed(error);
        }
      }
      await pause(this.patience(), signal);
    }
    return undefined;
  }

  /** Takes the Lease where nobody holds it. @returns until when it is held; undefined where another holds it */
  private async take(signal: AbortSignal): Promise<number | undefined> {
    const record = await this.lease.read(signal);
    if (record !== undefined) {
      this.observe(record);
      if (this.remaining() > 0) {
        return undefined;
      }
    }
    const begun = this.now();
    const acquired = { transitions: record === undefined ? 0 : record.transitions + 1 };
    const change = { holder: this.identity, seconds: this.timing.lease / 1000, acquired };
    const taken = await (record === undefined
      ? this.lease.create(change, signal)
      : this.lease.write(record, change, signal));
    this.observe(taken);
    return begun + this.timing.renewDeadline;
  }

  /** Renews the Lease until the term is over. */
  private async keep(term: Term): Promise<void> {
    for (;;) {
      await pause(this.timing.retry, term.signal);
      if (term.signal.aborted) {
        return;
      }
      try {
        await this.limited(term.signal, (limited) => this.renew(term, limited));
      } catch (error) {
        // Undone by the end of the term itself it is no failure.
        if (!isAborted(term.signal)) {
          this.events.failed(error);
        }
      }
    }
  }

  private async renew(term: Term, signal: AbortSignal): Promise<void> {
    const begun = this.now();
    const change = { holder: this.identity, seconds: this.timing.lease / 1000 };
    let renewed: LeaseRecord;
    try {
      const known = this.observed?.record ?? (await this.lease.read(signal));
      if (known === undefined) {
        throw new LeaseConflict("the Lease is gone");
      }
      renewed = await this.lease.write(known, change, signal);
    } catch (error) {
      if (!(error instanceof LeaseConflict)) {
        throw error;
      }
      const found = await this.lease.read(signal);
      if (found?.holder !== this.identity) {
        if (found !== undefined) {
          this.observe(found);
        }
        term.lose();
        return;
      }
      // Somebody changed something else of it, or the answer to an own write was lost.
      renewed = await this.lease.write(found, change, signal);
    }
    this.observe(renewed);
    if (term.holds) {
      term.extend(begun + this.timing.renewDeadline);
    }
  }

  /** Gives the Lease back. Where that fails, its time runs out. */
  private async release(): Promise<void> {
    const known = this.observed?.record;
    if (known?.holder !== this.identity) {
      return;
    }
    const limit = AbortSignal.timeout(this.timing.retry);
    const given = { holder: undefined, seconds: 1 };
    try {
      this.observe(await this.lease.write(known, given, limit));
    } catch (error) {
      if (!(error instanceof LeaseConflict)) {
        this.events.failed(error);
        return;
      }
      // The end of the term broke a renewal off of which the server had heard.
      const found = await this.lease.read(limit).catch(() => undefined);
      if (found?.holder === this.identity) {
        await this.lease.write(found, given, limit).catch(this.events.failed);
      }
    }
  }

  private observe(record: LeaseRecord): void {
    const before = this.observed?.record;
    if (before?.version === record.version) {
      return;
    }
    this.observed = { record, since: this.now() };
    if (before?.holder !== record.holder) {
      this.events.leader(record.holder);
    }
  }

  /** Milliseconds for which another's Lease still has to be respected. */
  private remaining(): number {
    if (this.observed === undefined) {
      return 0;
    }
    const { record, since } = this.observed;
    return record.holder === undefined || record.holder === this.identity ? 0 : since + record.duration - this.now();
  }

  /** Milliseconds until the next look: soon after the Lease could end, and not all at once. */
  private patience(): number {
    const { retry } = this.timing;
    const usual = retry * (1 + this.random() / 2);
    const remaining = this.remaining();
    return remaining > 0 ? Math.min(usual, remaining + (this.random() * retry) / 8) : usual;
  }

  /** A request that gets no answer must not take the time in which others could be tried. */
  private limited<T>(signal: AbortSignal, ask: (limited: AbortSignal) => Promise<T>): Promise<T> {
    return within(Math.floor(this.timing.renewDeadline / 2), signal, ask);
  }
}

/** Asked anew after something was awaited. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}

/** What a leader does ends the term with it: one that does nothing any more holds nobody up. */
async function ended(work: Promise<void>, term: Term): Promise<void> {
  try {
    await work;
  } finally {
    term.end();
  }
}
