/** What the ceiling lets be open at the network layer, as the proof is told. */
import type { Ceiling, EdgeLeave } from "./lucid";
import { CALL_PORT, departs } from "./edges";
import { DEPARTURE_PORT, exported, linkBlocks, sourceBlocks } from "./links";
import { mayLeave, outsideBlocks } from "./outside";
import type { CeilingEdge, External, Side } from "./types";
import { MESHED_LABEL, NAME_LABEL } from "../kubernetes/object";
import { partyName, partyOf, ZONE_NAMESPACE } from "../reachability";
import { AddressSet, PortSet } from "../reachability/network";
import type { Declaration, DeclaredEdge, DeclaredOutsider, Outsider } from "../reachability/network";

/** A party of the ceiling: a member of a zone that the plan shows, or somebody of whom it shows nothing. */
type Party = ({ readonly member: string } | { readonly outsider: Outsider }) & {
  /** `<zone>/<service>`, or `<zone>/*` for all of it; undefined for who is no member. */
  readonly id?: string;
};

/**
 * The ceiling as an upper bound: what it lists may be open, and need not be.
 *
 * @param shown zones whose objects are all in the plan; members of the others are pods elsewhere, known by their namespaces and labels
 */
export function ceilingDeclaration(ceiling: EdgeLeave, shown: ReadonlySet<string>): Declaration {
  const edges: DeclaredEdge[] = [];
  const outsiders: DeclaredOutsider[] = [];
  const open = (from: Party, to: Party, ports: PortSet, sides: readonly Side[]) => {
    const [only] = sides.length === 1 ? sides : [];
    if ("member" in from && "member" in to)
      edges.push({ from: from.member, to: to.member, ports, ...(only && { only }) });
    else if ("member" in from && "outsider" in to) {
      if (sides.includes("egress"))
        outsiders.push({ party: from.member, direction: "egress", outsider: to.outsider, ports });
    } else if ("outsider" in from && "member" in to) {
      if (sides.includes("ingress"))
        outsiders.push({ party: to.member, direction: "ingress", outsider: from.outsider, ports });
    }
  };
  const parties = partiesOf(ceiling, shown);
  for (const edge of [...withinZones(ceiling), ...byGateway(ceiling), ...ceiling.edges]) {
    const ports = portsOf(edge);
    for (const from of parties(edge.from)) {
      for (const to of parties(edge.to)) {
        if (mayLeave(from.id ?? "", to.id ?? "", ceiling)) open(from, to, ports, edge.sides ?? ["egress", "ingress"]);
      }
    }
  }
  outsiders.push(...waysOut(ceiling, shown), ...linksOf(ceiling, shown));
  return { atMost: true, edges, outsiders, partyOf };
}

/** Where members lead that stand for services outside the cluster. */
function waysOut({ outside }: EdgeLeave, shown: ReadonlySet<string>): DeclaredOutsider[] {
  return Object.entries(outside).flatMap(([party, entry]): DeclaredOutsider[] => {
    const [zone = "", service = ""] = party.split("/");
    if (!shown.has(zone)) return [];
    const name = partyName(zone, service);
    const outsider = { name: `what ${name} stands for`, addresses: addressesOf(outsideBlocks(entry)) };
    return [{ party: name, direction: "egress", outsider, ports: portsOf(entry) }];
  });
}

/** The gateway's ways to those of other datacenters, and theirs to it. */
function linksOf({ datacenter, links }: EdgeLeave, shown: ReadonlySet<string>): DeclaredOutsider[] {
  const [zone = "", service = ""] = datacenter?.gateway.split("/") ?? [];
  if (!shown.has(zone)) return [];
  const party = partyName(zone, service);
  return Object.entries(links).flatMap(([name, link]): DeclaredOutsider[] => {
    const outsider = (blocks: readonly string[]) => ({
      name: `the gateway of ${name}`,
      addresses: addressesOf(blocks),
    });
    return [
      { party, direction: "egress", outsider: outsider(linkBlocks(link)), ports: portsOf(link) },
      {
        party,
        direction: "ingress",
        outsider: outsider(sourceBlocks(link)),
        ports: portsOf({ ports: [CALL_PORT] }),
      },
    ];
  });
}

/** The ways of calls that cross, within this datacenter: of their callers to the gateway, and of the gateway to their callees. */
function byGateway(ceiling: EdgeLeave): CeilingEdge[] {
  const gateway = ceiling.datacenter?.gateway;
  if (gateway === undefined) return [];
  const reason = "calls between datacenters";
  const callers = Object.entries(ceiling.members)
    .flatMap(([zone, services]) => services.map((service) => `${zone}/${service}`))
    .filter((party) => departs(party, "egress", ceiling));
  return [
    ...callers.map((from): CeilingEdge => ({ from, to: gateway, ports: [DEPARTURE_PORT], reason })),
    ...exported(ceiling).map((to): CeilingEdge => ({ from: gateway, to, ports: [CALL_PORT], reason })),
  ];
}

/** Addresses of pods, as far as the ceiling knows them: no peer may name them by number. */
export function podAddresses({ externals }: Pick<Ceiling, "externals">): readonly string[] {
  return Object.values(externals).flatMap((external) => ("cidrs" in external ? external.except : []));
}

/** Members of one zone may call each other without standing in the ceiling. */
function withinZones({ members, infrastructure }: EdgeLeave): CeilingEdge[] {
  return Object.entries(members).flatMap(([zone, services]) => {
    const meshed = services
      .map((service) => `${zone}/${service}`)
      .filter((party) => !Object.hasOwn(infrastructure, party));
    const reason = "members of one zone";
    return meshed.flatMap((from) => meshed.map((to) => ({ from, to, ports: [CALL_PORT], reason })));
  });
}

/** Finds whom a party of the ceiling stands for; nobody for one that is none. */
function partiesOf({ members, infrastructure, externals }: EdgeLeave, shown: ReadonlySet<string>) {
  const ofMember = (zone: string, service: string): Party[] => [
    {
      id: `${zone}/${service}`,
      ...(shown.has(zone)
        ? { member: partyName(zone, service) }
        : elsewhere(zone, partyName(zone, service), { [NAME_LABEL]: service })),
    },
  ];
  const meshed = Object.entries(members).flatMap(([zone, services]) => [
    ...services
      .filter((service) => !Object.hasOwn(infrastructure, `${zone}/${service}`))
      .flatMap((service) => ofMember(zone, service)),
    ...(shown.has(zone)
      ? []
      : [{ id: `${zone}/*`, ...elsewhere(zone, `every sidecar of ${zone}`, { [MESHED_LABEL]: "true" }) }]),
  ]);
  return (party: string): readonly Party[] => {
    if (party === "*") return meshed;
    if (Object.hasOwn(externals, party)) {
      const external = externals[party];
      return external === undefined ? [] : [{ outsider: outsiderOf(party, external) }];
    }
    const [zone = "", service = ""] = party.split("/");
    return Object.hasOwn(members, zone) && members[zone]?.includes(service) === true ? ofMember(zone, service) : [];
  };
}

function elsewhere(
  zone: string,
  name: string,
  labels: Readonly<Record<string, string>>,
): { readonly outsider: Outsider } {
  return { outsider: { name, namespace: `${ZONE_NAMESPACE}${zone}`, labels } };
}

function outsiderOf(name: string, external: External): Outsider {
  if ("namespace" in external) return { name, namespace: external.namespace, labels: external.labels };
  const { cidrs, except } = external;
  return { name, addresses: addressesOf(cidrs).minus(addressesOf(except)) };
}

/** What is no CIDR gives no leave. */
function addressesOf(cidrs: readonly string[]): AddressSet {
  return AddressSet.union(cidrs.map((cidr) => AddressSet.parse(cidr) ?? AddressSet.none));
}

/** What is no port gives no leave. */
function portsOf({ ports }: Pick<CeilingEdge, "ports">): PortSet {
  return PortSet.union(
    ports.map((text) => {
      const [, number = "", protocol = ""] = /^([1-9]\d{0,4})\/(TCP|UDP|SCTP)$/.exec(text) ?? [];
      if (protocol === "" || Number(number) > 65535) return PortSet.none;
      return PortSet.range(protocol as "TCP" | "UDP" | "SCTP", Number(number));
    }),
  );
}
