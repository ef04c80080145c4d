/** What the ceiling lets sidecars do, as the proof is told. */
import type { Ceiling, EdgeLeave } from "./lucid";
import { CALL_PORT, ceilingAllows } from "./edges";
import { DEPARTURE_PORT, isLinked, linkTo } from "./links";
import { mayLeave, outsideBlocks, outsideOf } from "./outside";
import { anywhere, datacenterOf, isElsewhere } from "../envoy/scope";
import { partyName } from "../reachability";
import { serviceOf, zoneOf } from "../reachability/envoy";
import type { Party, UpperBound } from "../reachability/envoy";

const CALLS = 15001;
/** Stands for whoever is of a zone. */
const ANYBODY = "*";

/** The ceiling as an upper bound: what it lists may be open, and need not be. Members of one zone may call each other without standing in it. */
export function sidecarBound(ceiling: EdgeLeave): UpperBound {
  const isMeshed = membership(ceiling);
  const matches = (pattern: string, party: Party) => (pattern === "*" ? isMeshed(party) : pattern === party);
  const allows = (from: Party, to: Party, listens: number) =>
    isElsewhere(from) || isElsewhere(to) ? crosses(from, to, listens, ceiling) : allowsHere(from, to, listens);
  const allowsHere = (from: Party, to: Party, listens: number) =>
    isMeshed(from) &&
    isMeshed(to) &&
    mayLeave(from, to, ceiling) &&
    ((listens === CALLS && zoneOf(from) === zoneOf(to) && serviceOf(to) !== ANYBODY) ||
      ceiling.edges.some(
        (edge) => matches(edge.from, from) && matches(edge.to, to) && edge.ports.includes(`${listens}/TCP`),
      ));
  const isOfZone = (pattern: string, zone: string) => pattern === "*" || zoneOf(pattern) === zone;
  return {
    allows,
    allowsZone: (party, zone) =>
      isElsewhere(zone)
        ? allowsZoneElsewhere(party, zone, ceiling)
        : Object.hasOwn(ceiling.members, zone) &&
          (zoneOf(party) === zone ||
            ceiling.edges.some(
              ({ from, to }) =>
                (matches(from, party) && isOfZone(to, zone)) || (matches(to, party) && isOfZone(from, zone)),
            )),
    leadsOutside: (party, { addresses, port, tls }) => {
      const outside = outsideOf(party, ceiling);
      if (outside === undefined || !outside.ports.includes(`${port}/TCP`)) return false;
      const blocks = outsideBlocks(outside);
      return (
        addresses.every((address) => blocks.includes(`${address}/32`)) &&
        (tls === undefined
          ? outside.leave.plaintext !== undefined
          : [tls.serverName, ...tls.names].every((name) => outside.names.includes(name)))
      );
    },
    hostnameOf: (party) => `${serviceOf(party)}.lucid.internal`,
    nameOf: (party) => {
      const datacenter = datacenterOf(party);
      const name = partyName(zoneOf(anywhere(party)), serviceOf(party));
      return datacenter === undefined ? name : `${name} of ${datacenter}`;
    },
  };
}

/** Whether one may call another across datacenters by this port: a callee elsewhere is reached through the gateway, and another gateway where it is. */
function crosses(from: Party, to: Party, port: number, ceiling: EdgeLeave): boolean {
  const side = isElsewhere(to) ? "egress" : "ingress";
  const ports = !isElsewhere(to)
    ? [CALL_PORT]
    : isLinked(from, to, ceiling)
      ? (linkTo(datacenterOf(to), ceiling)?.ports ?? [])
      : [DEPARTURE_PORT];
  return ports.includes(`${port}/TCP`) && ceilingAllows(from, to, CALL_PORT, side, ceiling);
}

/** Whether a party may call somebody of a zone elsewhere, or be called. */
function allowsZoneElsewhere(party: Party, zone: string, ceiling: EdgeLeave): boolean {
  const members = ceiling.members[zoneOf(anywhere(zone))] ?? [];
  return members
    .map((service) => `${zone}/${service}`)
    .some(
      (other) =>
        ceilingAllows(party, other, CALL_PORT, "egress", ceiling) ||
        ceilingAllows(other, party, CALL_PORT, "ingress", ceiling),
    );
}

/** Tells members that have a sidecar, and all of a zone that have one, from others. */
function membership({ members, infrastructure }: Pick<Ceiling, "members" | "infrastructure">) {
  const meshed = new Set(
    Object.entries(members).flatMap(([zone, services]) => [
      `${zone}/${ANYBODY}`,
      ...services.map((service) => `${zone}/${service}`).filter((party) => !Object.hasOwn(infrastructure, party)),
    ]),
  );
  return (party: Party) => meshed.has(party);
}
