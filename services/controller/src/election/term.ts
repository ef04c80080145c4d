import { setMaxListeners } from "node:events";

/** A write was to be made by a replica that does not lead. */
export class NotLeading extends Error {
  override readonly name = "NotLeading";
}

/** The time for which a replica leads: from when it took the Lease until it stops, or could not renew it. */
export class Term {
  private readonly ending = new AbortController();
  private readonly losing = new AbortController();
  private timer: NodeJS.Timeout | undefined;

  /**
   * @param validUntil until when nobody else can take the lead, on the clock of `now`
   * @param now monotonic clock, in milliseconds
   */
  constructor(
    private validUntil: number,
    private readonly now: () => number,
  ) {
    // Every request and every delay under way listens to them.
    setMaxListeners(0, this.ending.signal, this.losing.signal);
    this.watch();
  }

  /** Aborted when the term is over, for whatever reason: no new work is begun. */
  get signal(): AbortSignal {
    return this.ending.signal;
  }

  /** Aborted where the lead was lost, and not given up: what is under way is broken off. */
  get lost(): AbortSignal {
    return this.losing.signal;
  }

  /**
   * Whether nobody else can lead at this moment. It is asked before each write, and looks at the clock itself: a process that was stopped and goes on writes
   * nothing, though no timer has run yet.
   */
  get holds(): boolean {
    return !this.losing.signal.aborted && this.now() < this.validUntil;
  }

  /** @throws NotLeading where another may lead by now */
  assertHeld(): void {
    if (!this.holds) {
      throw new NotLeading("this replica does not lead any more; whoever leads now does it");
    }
  }

  /** The Lease was renewed. */
  extend(validUntil: number): void {
    this.validUntil = validUntil;
    this.watch();
  }

  /** The lead is lost. */
  lose(): void {
    this.losing.abort();
    this.end();
  }

  /** The term is over. */
  end(): void {
    clearTimeout(this.timer);
    this.ending.abort();
  }

  private watch(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(
      () => {
        this.lose();
      },
      Math.max(0, this.validUntil - this.now()),
    );
  }
}
