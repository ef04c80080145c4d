/** Who may do what at the discovery backend, looked at again and again: it tells of no change by itself. */
import { comparedKind, declaredKey } from "../../../../mesh/declarations/index.js";
import { backoff, pause, type BackoffBounds } from "../backoff.js";
import { AccessRefused, type AccessControl, type AccessObject } from "../registry/access.js";
import type { LiveObject } from "./live.js";
import { liveKey, type AccessLook, type ZoneDrift } from "./zone-drift.js";

/** Milliseconds between two looks: a change is told of within ten seconds. */
const INTERVAL = 3_000;
/** Where a look failed. What can't be read can be changed all the same, and soon after it can is looked again. */
const BACKOFF: BackoffBounds = { first: 1_000, limit: 6_000 };
/** Looks in a row that are refused to a token that the backend knows, before it is told of: one may have met a restore. */
const REFUSALS = 2;
/**
 * Milliseconds for which the backend may not know the token while it goes on serving others: kubelet brings one that was exchanged within a hundred seconds. Where it serves
 * nobody it lost its state, and that is told of by who can't register.
 */
const UNKNOWN_PATIENCE = 120_000;
/** Milliseconds for which what was read counts for how it is: a restore of the backend may take as long. */
const SILENCE = 5 * 60_000;

export interface AccessFollower {
  /** One object has come, changed or gone. */
  readonly changed: (key: string) => void;
  /** It is known anew how all of it is, or that it is not shown: for the first time, or the first since the declaration changed; or that it is not known any more. */
  readonly looked: () => void;
  /** It could not be read; it is tried again. */
  readonly failed: (error: unknown) => void;
}

/** Milliseconds, changed in tests. */
export interface AccessTiming {
  readonly interval?: number;
  readonly unknownPatience?: number;
  readonly silence?: number;
}

/** Refusals in a row, since the declaration changed last. */
interface Refusals {
  readonly revision: number;
  readonly since: number;
  readonly count: number;
}

/** Brings a zone up to date. */
export class AccessWatch {
  private known: ReadonlyMap<string, LiveObject> = new Map();
  private refusals: Refusals | undefined;
  private waking = new AbortController();
  /** When all of it was read last, or began to be; milliseconds since 1970. */
  private lastRead = Date.now();

  constructor(
    private readonly access: AccessControl,
    private readonly zone: ZoneDrift,
    private readonly follower: AccessFollower,
    private readonly timing: AccessTiming = {},
  ) {}

  /** Has a look begin at once, or when the one under way is over: what is declared has changed. */
  lookNow(): void {
    this.waking.abort();
  }

  /** Looks until `signal` is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      this.waking = new AbortController();
      const { revision } = this.zone;
      const { othersServed } = this.access;
      try {
        this.put(await this.access.read(), revision);
        failures = 0;
      } catch (error) {
        this.follower.failed(error);
        if (error instanceof AccessRefused) this.refused(error, revision, othersServed);
        if (this.zone.access !== undefined) this.looked(this.zone.access);
        failures += 1;
      }
      const wait = failures === 0 ? (this.timing.interval ?? INTERVAL) : backoff(BACKOFF, failures - 1);
      await pause(wait, signal, this.waking.signal);
    }
  }

  private put(objects: readonly AccessObject[], revision: number): void {
    const present = new Map(objects.map(liveAccess).map((live) => [liveKey(live), live]));
    for (const key of new Set([...this.known.keys(), ...present.keys()])) {
      const live = present.get(key);
      const before = this.known.get(key);
      // What a token's policies are called changes with them, and not with the token.
      if (before?.version === live?.version && before?.fields === live?.fields) continue;
      this.zone.put(key, live);
      this.follower.changed(key);
    }
    this.known = present;
    this.refusals = undefined;
    this.lastRead = Date.now();
    this.looked({ revision, refused: undefined });
  }

  /** @param othersServed when the backend had served others before the look began */
  private refused({ why, isKnown }: AccessRefused, revision: number, othersServed = 0): void {
    const before = this.refusals?.revision === revision ? this.refusals : { revision, since: Date.now(), count: 0 };
    this.refusals = { ...before, count: before.count + 1 };
    const patience = this.timing.unknownPatience ?? UNKNOWN_PATIENCE;
    const isLost = isKnown ? this.refusals.count >= REFUSALS : othersServed - before.since >= patience;
    if (isLost) this.looked({ revision, refused: { key: readerKey(this.access), why } });
  }

  private looked(told: Omit<AccessLook, "isOld">): void {
    const before = this.zone.access;
    const look = { ...told, isOld: Date.now() - this.lastRead >= (this.timing.silence ?? SILENCE) };
    this.zone.access = look;
    const isSame = before?.refused?.why === look.refused?.why && before?.isOld === look.isOld;
    if (before?.revision !== look.revision || !isSame) this.follower.looked();
  }
}

function readerKey({ reader: name }: Pick<AccessControl, "reader">): string {
  return declaredKey({ kind: "AclToken", name });
}

export function liveAccess({ kind: name, ...object }: AccessObject): LiveObject {
  const kind = comparedKind(name);
  if (kind === undefined) throw new Error(`${name} is no kind that is compared`);
  return {
    kind,
    namespace: undefined,
    name: object.name,
    // Each change is told of anew.
    uid: object.version,
    version: object.version,
    labels: {},
    fields: JSON.stringify(object.fields),
    writer: undefined,
    owned: false,
    gives: object.gives,
  };
}
