import { PortSet } from "../../sets/port-set";
import { NAMESPACE_NAME } from "../model";
import type { Direction, Workload } from "../model";
import type { Reachability } from "../reachability";
import { openedBy, placesOf, selectionText } from "./counterexample";
import type { Declaration, Violation } from "./declaration";

/** Compares the pods of unknown namespaces that are open to a workload, or to which it is open, with those declared. */
export function compareStrangers(
  reachability: Reachability,
  workload: Workload,
  direction: Direction,
  { partyOf, outsiders }: Declaration,
): Violation[] {
  if (reachability.policiesOf(workload, direction).length === 0) return [];
  const party = partyOf(workload);
  const declared = outsiders.flatMap((entry) =>
    entry.party === party && entry.direction === direction && "namespace" in entry.outsider
      ? [{ ...entry.outsider, ports: entry.ports }]
      : [],
  );
  const open = reachability.strangers(workload, direction);
  const undeclared = open.flatMap((reach): Violation[] => {
    const meant = declared.filter(
      ({ namespace, labels }) =>
        reach.strangers.namespaces.implies({ [NAMESPACE_NAME]: namespace }) && reach.strangers.pods.implies(labels),
    );
    const ports = reach.ports.minus(PortSet.union(meant.map((entry) => entry.ports)));
    if (ports.isEmpty) return [];
    const whom = selectionText(reach.strangers.namespaces, reach.strangers.pods);
    const what = direction === "egress" ? `${party} can reach ${whom}` : `${whom} can reach ${party}`;
    return [
      {
        kind: "undeclared",
        text: `${what} on ${ports.toString()}, which nobody declared and no policy here closes: ${openedBy(reach, ports, party, direction)}`,
        places: placesOf(reach, ports),
      },
    ];
  });
  const refused = declared.flatMap(({ name, namespace, labels, ports }): Violation[] => {
    const reached = open.filter(
      ({ strangers }) =>
        strangers.namespaces.matches({ [NAMESPACE_NAME]: namespace }) && strangers.pods.matches(labels),
    );
    const missing = ports.minus(PortSet.union(reached.map((reach) => reach.ports)));
    if (missing.isEmpty) return [];
    const what = direction === "egress" ? `${party} can't reach ${name}` : `${name} can't reach ${party}`;
    return [{ kind: "refused", text: `${what} on ${missing.toString()}, which is declared`, places: [] }];
  });
  return [...undeclared, ...refused];
}
