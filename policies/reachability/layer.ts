import type { Plain } from "../judgement/plain";

/** A place in an object. */
export interface Place {
  /** `NetworkPolicy lucid-wallet/payout-router`. */
  readonly object: string;
  /** `spec.ingress[0].from[1]`; empty for the object as a whole. */
  readonly path: string;
}

/** What is wrong with who reaches whom. */
export interface LayerViolation {
  /** With the counterexample: who, whom, where, and by which objects. */
  readonly problem: string;
  readonly mend: string;
  /** Where it comes from. Empty where something is missing. */
  readonly places: readonly Place[];
}

/** One layer that by itself refuses what nobody declared, with what may be there: the network, and what follows. */
export interface Layer {
  /** `network`. */
  readonly name: string;
  /** Judges rendered objects, as a plan, a cluster or files give them. What can't be judged is a violation. */
  judge(objects: readonly Plain[]): readonly LayerViolation[];
}

/** A violation and the layer that has it. */
export interface ProofViolation extends LayerViolation {
  readonly layer: string;
}

/** What of rendered objects is not as it may be, layer by layer, each by itself. None: it is proven. */
export function prove(objects: readonly Plain[], layers: readonly Layer[]): readonly ProofViolation[] {
  return layers.flatMap((layer) => layer.judge(objects).map((violation) => ({ layer: layer.name, ...violation })));
}

/** `network: Chain/lucid-blocks can reach …; <mend>`, with the place of what can't be judged. */
export function violationText({ layer, problem, mend, places }: ProofViolation): string {
  const [place, ...others] = places;
  // A counterexample names its objects itself.
  const isNamed = place === undefined || others.length > 0 || problem.includes(place.object);
  const where = isNamed ? "" : `${place.object}${place.path === "" ? "" : `, ${place.path}`}: `;
  return `${layer}: ${where}${problem}; ${mend}`;
}
