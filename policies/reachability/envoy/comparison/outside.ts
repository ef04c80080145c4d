import type { Sidecar } from "../model";
import { outsideText } from "../outside";
import type { Difference } from "./declaration";
import type { DeclaredEdges } from "./index-of-edges";
import { placeText } from "./text";

/** Compares where a sidecar goes out of the cluster, and by what proof, with the service outside that it stands for. */
export function compareOutside({ party, outside }: Sidecar, edges: DeclaredEdges): Difference[] {
  const name = edges.nameOf(party);
  const declared = new Set(edges.declaration.outside.filter((way) => way.party === party).map(outsideText));
  const found = new Set(outside.map(outsideText));
  return [
    ...outside
      .filter((way) => !declared.has(outsideText(way)))
      .map((way): Difference => ({
        kind: "undeclared",
        text: `${name} leads out of the cluster to ${outsideText(way)}, which nobody declared: ${placeText(way.place)}`,
        places: [way.place],
      })),
    ...[...declared]
      .filter((text) => !found.has(text))
      .map((text): Difference => ({
        kind: "refused",
        text: `${name} doesn't lead to ${text}, which is declared`,
        places: [],
      })),
  ];
}
