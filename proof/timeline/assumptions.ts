import type { Assumptions } from "./model";

/**
 * Until every process has what an update changed: kubelet brings changed files within 90 seconds, and the discovery backend's, whose pods are exchanged one after the other, are the
 * last to have them.
 */
export const DISTRIBUTION_HOURS = 0.25;

/** An issuer looks at every certificate each half minute, and what fails is tried again within another: two minutes, a change of leader included. */
export const ISSUER_HOURS = 2 / 60;

/** What is assumed of a stack: what its configuration says, and how long distribution takes. */
export function assumptionsOf({ updateIntervalHours }: { readonly updateIntervalHours: number }): Assumptions {
  return { updateHours: updateIntervalHours, issuerHours: ISSUER_HOURS, distributionHours: DISTRIBUTION_HOURS };
}
