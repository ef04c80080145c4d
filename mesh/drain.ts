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

/** `terminationGracePeriodSeconds` of a pod with a sidecar, at least. */
export const GRACE_SECONDS = DRAIN_SECONDS + FINISH_SECONDS + SIDECAR_SECONDS;

/** The same of a pod that runs to completion: nobody calls it, so it need not be forgotten first. */
export const COMPLETING_GRACE_SECONDS = FINISH_SECONDS + SIDECAR_SECONDS;
