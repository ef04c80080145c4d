import { PortSet } from "../sets/port-set";
import type { NamedPort, Opening } from "./model";

/**
 * The ports that an opening has for a destination. A name stands for the port to which the destination gives it, for that protocol; for none where it
 * gives the name to none.
 *
 * @param namedPorts of the destination; `any` for one that is not known: it may give a name to any port
 */
export function portsOf({ ports }: Opening, namedPorts: readonly NamedPort[] | "any"): PortSet {
  if (ports === undefined) return PortSet.all;
  return PortSet.union(
    ports.map((match) => {
      if (!("name" in match)) return PortSet.range(match.protocol, match.first, match.last);
      if (namedPorts === "any") return PortSet.every(match.protocol);
      const named = namedPorts.filter(({ name, protocol }) => name === match.name && protocol === match.protocol);
      return PortSet.union(named.map(({ protocol, port }) => PortSet.range(protocol, port)));
    }),
  );
}
