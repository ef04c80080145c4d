import { DIRECTIONS } from "../model";
import type { Direction } from "../model";
import type { Reachability } from "../reachability";
import { compareAddresses } from "./addresses";
import { unrestricted } from "./counterexample";
import type { Declaration, Violation } from "./declaration";
import { comparePairs } from "./pairs";
import { compareStrangers } from "./strangers";

/** Compares what is open with what may be, pair by pair and half by half. None: they are equal, or of a ceiling, that nothing is beyond it. */
export function compare(reachability: Reachability, declaration: Declaration): readonly Violation[] {
  const violations = [
    ...DIRECTIONS.flatMap((direction) => compareRestrictions(reachability, direction, declaration)),
    ...comparePairs(reachability, declaration),
    ...DIRECTIONS.flatMap((direction) =>
      reachability.workloads.flatMap((workload) => [
        ...compareAddresses(reachability, workload, direction, declaration),
        ...compareStrangers(reachability, workload, direction, declaration),
      ]),
    ),
  ];
  return declaration.atMost === true ? violations.filter(({ kind }) => kind !== "refused") : violations;
}

function compareRestrictions(reachability: Reachability, direction: Direction, { partyOf }: Declaration): Violation[] {
  return reachability.workloads
    .filter((workload) => reachability.policiesOf(workload, direction).length === 0)
    .map((workload) => ({
      kind: "unrestricted",
      text: `${unrestricted(partyOf(workload), direction)}: ${workload.title} is selected by none`,
      places: [{ object: workload.title, path: "" }],
    }));
}
