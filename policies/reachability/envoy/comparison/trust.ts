import { zoneOf } from "../matrix";
import type { Reachability } from "../matrix";
import type { Party, Sidecar } from "../model";
import type { Place } from "../../layer";
import type { Difference } from "./declaration";
import type { DeclaredEdges } from "./index-of-edges";
import { placeText } from "./text";

/** Compares the zones whose roots a sidecar has with those of the parties that it calls or that call it. */
export function compareTrust({ party, roots, entries, callees }: Sidecar, edges: DeclaredEdges): Difference[] {
  const name = edges.nameOf(party);
  const declared = new Set([
    ...edges.from(party).map(({ to }) => zoneOf(to)),
    ...edges.to(party).map(({ from }) => zoneOf(from)),
  ]);
  const used = [...entries, ...callees].filter(({ zone }) => !roots.has(zone));
  return [
    ...[...roots]
      .filter(([zone]) => !declared.has(zone))
      .map(([zone, { place }]): Difference => ({
        kind: "undeclared",
        text: `${name} trusts whom the CA of zone ${zone} certifies, though nobody declared an edge between them: ${placeText(place)}`,
        places: [place],
      })),
    ...[...declared]
      .filter((zone) => !roots.has(zone))
      .map((zone): Difference => ({
        kind: "refused",
        text: `${name} can't trust anybody of zone ${zone}, with which it has declared edges: no file of its ConfigMap of roots is ${zone}.yaml`,
        places: [],
      })),
    ...used.map(({ zone, place }): Difference => ({
      kind: "refused",
      text: `${placeText(place)}, waits for the roots of zone ${zone}, which ${name} doesn't have, so it never comes up`,
      places: [place],
    })),
  ];
}

/** Roots must be those of their zone wherever they stand: a root that stands for two zones certifies for both. */
export function compareRoots({ sidecars }: Reachability, nameOf: (party: Party) => string): Difference[] {
  const seen = new Map<string, { readonly zone: string; readonly place: Place }>();
  const sets = new Map<string, { readonly certificates: ReadonlySet<string>; readonly party: Party }>();
  const violations: Difference[] = [];
  for (const { party, roots } of sidecars) {
    for (const [zone, { place, certificates }] of roots) {
      if (certificates === undefined) continue;
      for (const certificate of certificates) {
        const first = seen.get(certificate);
        if (first === undefined) seen.set(certificate, { zone, place });
        else if (first.zone !== zone) {
          const text = `whom the CA of zone ${first.zone} certifies, ${nameOf(party)} takes for one of zone ${zone}, too: ${placeText(place)}, has a root that stands in ${placeText(first.place)}`;
          violations.push({ kind: "undeclared", text, places: [place, first.place] });
        }
      }
      const other = sets.get(zone);
      if (other === undefined) sets.set(zone, { certificates, party });
      else if (!isSame(other.certificates, certificates)) {
        const text = `${nameOf(party)} and ${nameOf(other.party)} have different roots of zone ${zone}: ${placeText(place)}`;
        violations.push({ kind: "refused", text, places: [place] });
      }
    }
  }
  return violations;
}

function isSame(one: ReadonlySet<string>, other: ReadonlySet<string>): boolean {
  return one.size === other.size && [...one].every((element) => other.has(element));
}
