import type { Assumptions } from "./model";

/**
 * Until every process has what an update changed: kubelet brings changed files within 90 seconds, and the discovery backend's, whose pods are exchanged one after the other, are the
 * last to have them.
 */
export const DISTRIBUTION_HOURS = 0.25;

/** What is assumed of a stack: what its configuration says, and how long distribution takes. */
export function assumptionsOf({ updateIntervalHours }: { readonly updateIntervalHours: number }): Assumptions {
  return { updateHours: updateIntervalHours, distributionHours: DISTRIBUTION_HOURS };
}
