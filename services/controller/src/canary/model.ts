/** What the live canary knows of a pod. */
import type { ZoneName } from "../../../../mesh/model.js";

/** What is asked whether it refuses: NetworkPolicies, and the sidecar behind them. */
export const LAYERS = ["network", "sidecar"] as const;
export type Layer = (typeof LAYERS)[number];

/**
 * `enforced`: it refused what it must, and answered beside it. `let-in`: it didn't refuse. `blind`: nothing can be said, as what must be answered wasn't, so that the refusal may be no more
 * than a pod that doesn't answer anybody.
 */
export const OUTCOMES = ["enforced", "let-in", "blind"] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** What a try has shown, and why, for people. */
export interface Tried {
  readonly outcome: Outcome;
  readonly detail: string;
}

/** A pod at which it knocks. */
export interface CanaryPod {
  readonly zone: ZoneName;
  readonly namespace: string;
  readonly service: string;
  readonly name: string;
  readonly uid: string;
  readonly address: string;
  readonly node: string;
  /** Whether the pod lets the controller in at the port beside the canary: it does not where it is revoked, is nobody's, or is the controller itself. */
  readonly isOpen: boolean;
  /** Address of the node resolver of its node: of the pod in which this runs, whose own policy keeps it from the canary there, as the start gate tried. */
  readonly wayOut?: string;
}

/** A pod that is not held apart from others. */
export interface LetIn extends Tried {
  readonly pod: CanaryPod;
  readonly layer: Layer;
}

/** Pods of one node by what was last known of them. */
export interface CanaryCount {
  readonly layer: Layer;
  readonly outcome: Outcome;
  readonly node: string;
  readonly count: number;
}

/** In one line: which pod, where, and what it let in. */
export function describeLetIn({ pod, detail }: Pick<LetIn, "pod" | "detail">): string {
  return `Pod ${pod.namespace}/${pod.name} on node ${pod.node} is not held apart: ${detail}`;
}
