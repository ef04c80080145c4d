/** How long a pod that is about to end goes on answering, so that nobody calls it when it no longer does. All times in seconds. */

/** From the end of a pod until the last of its callers has forgotten it, step by step. */
export const DISCOVERY_TIMES = {
  /** Until the controller has seen that the pod ends and taken it out of the catalogue: a watch event and a write. */
  deregister: 2,
  /** Longest time for which a node resolver answers from its cache. */
  cache: 5,
  /** Between two look-ups of a sidecar. */
  refresh: 5,
  /** What a sidecar adds to that at most, so that not all ask at once. */
  jitter: 1,
} as const;

/** For the requests that were sent in the last moment. */
const LAST_REQUESTS = 2;

/** `preStop.sleep` of every application container: until then the pod answers as before. */
export const DRAIN_SECONDS =
  DISCOVERY_TIMES.deregister + DISCOVERY_TIMES.cache + DISCOVERY_TIMES.refresh + DISCOVERY_TIMES.jitter + LAST_REQUESTS;

/** For an application that is told to end to finish what it has begun: as long as a call may take by default. */
const FINISH_SECONDS = 15;
/** For the sidecar, which ends after the application. */
const SIDECAR_SECONDS = 5;

/** Age at which a connection between sidecars is told to go, and made anew. */
export const PEER_CONNECTION_SECONDS = 45;

/**
 * `preStop.sleep` where the sidecar is all that a pod does: no application, told to end, finishes what was begun, so it is finished before. Of a way out to a service outside, what
 * its last callers had begun.
 */
export const WAY_OUT_DRAIN_SECONDS = DRAIN_SECONDS + FINISH_SECONDS;

/**
 * The same of a datacenter's gateway. Another one, which knows it by no name that could be taken from it, puts calls on its link until that is told to go; each is a caller's
 * connection, which goes on until the callee tells that to go, and then its last calls are finished.
 */
export const GATEWAY_DRAIN_SECONDS = PEER_CONNECTION_SECONDS + PEER_CONNECTION_SECONDS + FINISH_SECONDS;

/** `terminationGracePeriodSeconds` of a pod that answers for so long after it was told to end, and whose sidecar then ends by itself. */
export function graceAfter(drainSeconds: number): number {
  return drainSeconds + SIDECAR_SECONDS;
}

/** `terminationGracePeriodSeconds` of a pod with a sidecar, at least. */
export const GRACE_SECONDS = graceAfter(DRAIN_SECONDS + FINISH_SECONDS);

/** The same of a pod that runs to completion: nobody calls it, so it need not be forgotten first. */
export const COMPLETING_GRACE_SECONDS = FINISH_SECONDS + SIDECAR_SECONDS;
