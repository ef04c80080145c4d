import type { AddressSet } from "../../sets/address-set";
import type { PortSet } from "../../sets/port-set";
import type { Declaration, Violation } from "./declaration";
import { openedBy, placesOf } from "./counterexample";
import type { Direction, Workload } from "../model";
import type { Reachability } from "../reachability";

/** Some ports at some addresses. */
interface Region {
  readonly addresses: AddressSet;
  readonly ports: PortSet;
}

/** Compares the addresses outside the cluster that are open to a workload, or to which it is open, with those declared. */
export function compareAddresses(
  reachability: Reachability,
  workload: Workload,
  direction: Direction,
  { partyOf, outsiders }: Declaration,
): Violation[] {
  if (reachability.policiesOf(workload, direction).length === 0) return [];
  const party = partyOf(workload);
  const declared = outsiders.flatMap((entry) =>
    entry.party === party && entry.direction === direction && "addresses" in entry.outsider
      ? [{ name: entry.outsider.name, addresses: entry.outsider.addresses, ports: entry.ports }]
      : [],
  );
  const open = reachability.addresses(workload, direction);
  const undeclared = open.flatMap((reach) =>
    without(reach, declared).map(({ addresses, ports }): Violation => {
      const whom = addresses.toString();
      const what = direction === "egress" ? `${party} can reach ${whom}` : `${whom} can reach ${party}`;
      return {
        kind: "undeclared",
        text: `${what} on ${ports.toString()}, which nobody declared: ${openedBy(reach, ports, party, direction)}`,
        places: placesOf(reach, ports),
      };
    }),
  );
  const refused = declared.flatMap((entry) =>
    without(entry, open).map(({ addresses, ports }): Violation => {
      const whom = `${entry.name} (${addresses.toString()})`;
      const what = direction === "egress" ? `${party} can't reach ${whom}` : `${whom} can't reach ${party}`;
      return { kind: "refused", text: `${what} on ${ports.toString()}, which is declared`, places: [] };
    }),
  );
  return [...undeclared, ...refused];
}

/** What of a region lies in none of the others. */
function without(region: Region, others: readonly Region[]): readonly Region[] {
  let rest: readonly Region[] = [{ addresses: region.addresses, ports: region.ports }];
  for (const other of others) {
    rest = rest.flatMap(({ addresses, ports }) =>
      [
        { addresses: addresses.minus(other.addresses), ports },
        { addresses: addresses.intersect(other.addresses), ports: ports.minus(other.ports) },
      ].filter((part) => !part.addresses.isEmpty && !part.ports.isEmpty),
    );
  }
  return rest;
}
