import { isElsewhere } from "../matrix";
import type { Reachability } from "../matrix";
import type { Sidecar } from "../model";
import { compareAdmissions } from "./callee";
import { compareDials, compareWays } from "./caller";
import type { Declaration, Difference, SidecarLayer, Violation } from "./declaration";
import { DeclaredEdges } from "./index-of-edges";
import { compareOutside } from "./outside";
import { comparePassages, compareTokens } from "./passages";
import { placeText } from "./text";
import { compareRoots, compareTrust } from "./trust";

/** Compares what the sidecars do with what is declared, pair by pair and half by half. None: they are equal. */
export function compare(reachability: Reachability, declaration: Declaration): readonly Violation[] {
  const edges = new DeclaredEdges(declaration);
  const { sidecars } = reachability;
  return [
    ...withoutSidecar(reachability, edges),
    ...of(
      "trust",
      compareRoots(reachability, (party) => edges.nameOf(party)),
    ),
    ...sidecars.flatMap((sidecar) => [
      ...of("trust", [...compareTrust(sidecar, edges), ...compareTokens(sidecar, edges)]),
      ...of(
        "authorization",
        callersOf(sidecar, edges).flatMap((from) => compareAdmissions(reachability, from, sidecar.party, edges)),
      ),
      ...of("authorization", compareOpenings(sidecar, edges)),
      ...of("ways", [
        ...compareWays(reachability, sidecar, edges),
        ...compareOutside(sidecar, edges),
        ...comparePassages(sidecar, edges),
      ]),
      ...of("names", compareDials(sidecar, edges)),
    ]),
  ];
}

function of(layer: SidecarLayer, differences: readonly Difference[]): Violation[] {
  return differences.map((difference) => ({ layer, ...difference }));
}

/** Everybody whom the callee or the declaration names. */
function callersOf({ party, entries }: Sidecar, edges: DeclaredEdges): readonly string[] {
  const declared = edges.to(party);
  return [...new Set([...entries.flatMap(({ certificates }) => certificates), ...declared.map(({ from }) => from)])];
}

function withoutSidecar(reachability: Reachability, edges: DeclaredEdges): Violation[] {
  return edges.declaration.edges.flatMap(({ from, to, port }) =>
    [...new Set([from, to])]
      // What stands in another datacenter is proven there.
      .filter((party) => !isElsewhere(party))
      .filter((party) => reachability.sidecarOf(party) === undefined)
      .map((party): Violation => ({
        layer: party === from ? "ways" : "authorization",
        kind: "refused",
        text: `${edges.nameOf(from)} can't reach ${edges.nameOf(to)} on ${port}, which is declared: ${edges.nameOf(party)} has no sidecar`,
        places: [],
      })),
  );
}

/** Compares what anybody may ask in plain text. */
function compareOpenings({ party, open }: Sidecar, edges: DeclaredEdges): Difference[] {
  const declared = edges.declaration.openings.filter((opening) => opening.party === party);
  const isSame = (one: { request: string; target: string }, other: { request: string; target: string }) =>
    one.request === other.request && one.target === other.target;
  const name = edges.nameOf(party);
  return [
    ...open
      .filter((route) => !declared.some((opening) => isSame(opening, route)))
      .map(({ request, target, place }): Difference => ({
        kind: "undeclared",
        text: `whoever reaches ${name}'s pod can ask ${request} of ${target} in plain text, which nobody declared: ${placeText(place)}`,
        places: [place],
      })),
    ...declared
      .filter((opening) => !open.some((route) => isSame(opening, route)))
      .map(({ request, target }): Difference => ({
        kind: "refused",
        text: `kubelet can't ask ${request} of ${name} (${target}), which is declared`,
        places: [],
      })),
  ];
}
