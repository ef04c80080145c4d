import type { Evidence } from "./evidence";

/** A place in an object. */
export interface Place {
  /** `NetworkPolicy lucid-wallet/payout-router`. */
  readonly object: string;
  /** `spec.ingress[0].from[1]`; empty for the object as a whole. */
  readonly path: string;
}

/**
 * What by itself refuses whatever nobody declared; `agreement` is about what the layers refuse together, `sidecars` about files that can't be judged. `names` is
 * what a sidecar answers its own application, `registration` who may put what behind a name that everybody looks up.
 */
export type LayerName =
  "network" | "trust" | "authorization" | "ways" | "names" | "registration" | "sidecars" | "agreement";

/** What is wrong with who reaches whom. */
export interface LayerViolation {
  /** Which layer has it. */
  readonly layer: LayerName;
  /** With the counterexample: who, whom, where, and by which objects. */
  readonly problem: string;
  readonly mend: string;
  /** Where it comes from. Empty where something is missing. */
  readonly places: readonly Place[];
}

/** One or several layers, with what may be there. */
export interface Layer {
  /** Judges rendered objects, as a plan, a cluster or files give them. What can't be judged is a violation. */
  judge(evidence: Evidence): readonly LayerViolation[];
}

/** What of rendered objects is not as it may be, layer by layer, each by itself. None: it is proven. */
export function prove(evidence: Evidence, layers: readonly Layer[]): readonly LayerViolation[] {
  return layers.flatMap((layer) => layer.judge(evidence));
}

/** `network: Chain/lucid-blocks can reach …; <mend>`, with the place of what can't be judged. */
export function violationText({ layer, problem, mend, places }: LayerViolation): string {
  const [place, ...others] = places;
  // A counterexample names its objects itself.
  const isNamed = place === undefined || others.length > 0 || problem.includes(place.object);
  const where = isNamed ? "" : `${place.object}${place.path === "" ? "" : `, ${place.path}`}: `;
  return `${layer}: ${where}${problem}; ${mend}`;
}
