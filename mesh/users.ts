/** Users that sidecars run as: nobody else in a pod may, or they could share Envoy's listening sockets. */
import { createHash } from "node:crypto";

/** UIDs, and GIDs of the same numbers, that are reserved for Envoy: `first` and the `count - 1` after it. */
export const SIDECAR_UIDS = { first: 65101, count: 128 } as const;

/**
 * The user of a service's sidecars. Linux grants what Envoy watches files with by the user, 128 inotify instances on a node as a rule, of which each takes
 * about ten: of one user for all no node could hold a dozen pods.
 */
export function sidecarUid(service: string): number {
  return SIDECAR_UIDS.first + (createHash("sha256").update(service).digest().readUInt32BE(0) % SIDECAR_UIDS.count);
}

/** Whether a user or group is one of those reserved. */
export function isSidecarUid(id: unknown): boolean {
  return typeof id === "number" && id >= SIDECAR_UIDS.first && id < SIDECAR_UIDS.first + SIDECAR_UIDS.count;
}
