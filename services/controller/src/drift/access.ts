/** Who may do what at the discovery backend, looked at again and again: it tells of no change by itself. */
import { ACL_KINDS, comparedKind } from "../../../../mesh/declarations/index.js";
import { backoff, pause, type BackoffBounds } from "../backoff.js";
import type { AccessControl, AccessObject } from "../registry/access.js";
import type { LiveObject } from "./live.js";
import { liveKey, type ZoneDrift } from "./zone-drift.js";

/** Milliseconds between two looks: a change is told of within ten seconds. */
const INTERVAL = 3_000;
/** Where a look failed. What can't be read can hardly be changed, and soon after it can is looked again. */
const BACKOFF: BackoffBounds = { first: 1_000, limit: 6_000 };

export interface AccessFollower {
  /** One object has come, changed or gone. */
  readonly changed: (key: string) => void;
  /** All was read for the first time: now it is known what is missing. */
  readonly listed: () => void;
  /** It could not be read; it is tried again. */
  readonly failed: (error: unknown) => void;
}

/** Brings a zone up to date until `signal` is aborted. */
export async function followAccess(
  access: AccessControl,
  zone: ZoneDrift,
  { changed, listed, failed }: AccessFollower,
  signal: AbortSignal,
  interval = INTERVAL,
): Promise<void> {
  let known: ReadonlyMap<string, LiveObject> = new Map();
  const put = (objects: readonly AccessObject[]): void => {
    const present = new Map(objects.map(liveAccess).map((live) => [liveKey(live), live]));
    for (const key of new Set([...known.keys(), ...present.keys()])) {
      const live = present.get(key);
      const before = known.get(key);
      // What a token's policies are called changes with them, and not with the token.
      if (before?.version === live?.version && before?.fields === live?.fields) continue;
      zone.put(key, live);
      changed(key);
    }
    known = present;
    if (zone.hasListed(ACL_KINDS)) return;
    for (const kind of ACL_KINDS) zone.kindListed(kind);
    listed();
  };
  let failures = 0;
  while (!signal.aborted) {
    try {
      put(await access.read());
      failures = 0;
    } catch (error) {
      failed(error);
      failures += 1;
    }
    await pause(failures === 0 ? interval : backoff(BACKOFF, failures - 1), signal);
  }
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
