/** What the document lets be open at the network layer: its calls, and what the mesh itself needs. Nothing here comes from what renders the policies. */
import type { Mesh, Service } from "../../mesh";
import { issuerOf, issuingZones } from "../../mesh/issuing";
import { GATEWAY, LIVE_CANARY, NODE_RESOLVER, SIDECAR_PORTS, WELL_KNOWN } from "../../mesh/wire";
import { partyName, partyOf } from "../../policies/reachability";
import { AddressSet, PortSet } from "../../policies/reachability/network";
import type { Declaration, DeclaredEdge, DeclaredOutsider } from "../../policies/reachability/network";
import { DECLARED_DISCOVERY } from "./discovery";
import type { DiscoveryChoice } from "./discovery";

/** What of a stack's configuration decides who reaches whom. */
export interface Surroundings extends DiscoveryChoice {
  /** Issuers make the certificates of services. Default false. */
  readonly autoRotateCerts?: boolean;
  readonly apiServerCidr: string;
  readonly apiServerPort: number;
}

const CALLS = PortSet.tcp(SIDECAR_PORTS.inbound);
const INSPECTION = PortSet.tcp(SIDECAR_PORTS.inspection);
const DEPARTURES = PortSet.tcp(GATEWAY.departurePort);
const RESOLVER_DNS = dns(NODE_RESOLVER.dnsPort);
const CANARY = PortSet.tcp(NODE_RESOLVER.canaryPort);
const KNOCKED_AT = PortSet.tcp(LIVE_CANARY.closed);

const resolver = partyName("mesh", NODE_RESOLVER.service);

/** Exactly what a mesh declares: all of it open, and nothing else. */
export function networkDeclaration(mesh: Mesh, surroundings: Surroundings): Declaration {
  return { edges: edgesOf(mesh, surroundings), outsiders: outsidersOf(mesh, surroundings), partyOf };
}

function edgesOf(mesh: Mesh, { discoveryBackend }: DiscoveryChoice): DeclaredEdge[] {
  const parties = new Map(mesh.services.map((service) => [service.name, partyOfService(service)]));
  const named = (name: string) => parties.get(name) ?? name;
  const deployed = mesh.services.filter(isDeployed);
  return [
    ...mesh.edges.map(({ from, to }): DeclaredEdge => ({ from: named(from), to: named(to), ports: CALLS })),
    ...crossings(mesh),
    ...inspectors(mesh).flatMap((from) => inspected(from, deployed).map((to) => inspection(from, to))),
    ...controllers(mesh).flatMap((controller) =>
      inspected(controller, deployed).map((service) => canary(partyOfService(controller), partyOfService(service))),
    ),
    ...deployed.flatMap((service): DeclaredEdge[] => {
      const from = partyOfService(service);
      // One selector lets every sidecar in; a revoked service isn't let out.
      const only = isTrusted(service) ? {} : ({ only: "ingress" } as const);
      return [
        { from, to: resolver, ports: RESOLVER_DNS, ...only },
        // The start gate's canary: a pod that reaches it has no enforced policy yet.
        { from, to: resolver, ports: CANARY, only: "ingress" },
      ];
    }),
    ...DECLARED_DISCOVERY[discoveryBackend].edges(controllers(mesh).map(partyOfService)),
  ];
}

/** Calls that leave go to the gateway, and those that arrive come from it. */
function crossings(mesh: Mesh): DeclaredEdge[] {
  const { departures = [], arrivals = [] } = mesh.datacenters ?? {};
  return gateways(mesh).flatMap((gateway) => {
    const through = partyOfService(gateway);
    const to = (names: readonly string[]) =>
      mesh.services.filter(({ name }) => names.includes(name)).map((service) => partyOfService(service));
    const callers = to(departures.map(({ edge }) => edge.from));
    const callees = to(arrivals.map(({ edge }) => edge.to));
    return [
      ...callers.map((from): DeclaredEdge => ({ from, to: through, ports: DEPARTURES })),
      ...callees.map((callee): DeclaredEdge => ({ from: through, to: callee, ports: CALLS })),
    ];
  });
}

/** To whom an inspector is let out: the controller not to its own replicas, of which it asks nothing. */
function inspected(inspector: Service, deployed: readonly Service[]): readonly Service[] {
  return inspector.name === WELL_KNOWN.controller ? deployed.filter(({ name }) => name !== inspector.name) : deployed;
}

/** One selector lets an inspector out to every sidecar, Prometheus' own and revoked ones among them; those let it not in. */
function inspection(inspector: Service, service: Service): DeclaredEdge {
  const isMutual = inspector.name !== service.name && isTrusted(service);
  const edge = { from: partyOfService(inspector), to: partyOfService(service), ports: INSPECTION };
  return isMutual ? edge : { ...edge, only: "egress" };
}

/** The live canary is let out to every sidecar, and in nowhere: a pod that it comes to is one whose policy isn't enforced. */
function canary(from: string, to: string): DeclaredEdge {
  return { from, to, ports: KNOCKED_AT, only: "egress" };
}

function outsidersOf(
  mesh: Mesh,
  { apiServerCidr, apiServerPort, discoveryBackend, autoRotateCerts }: Surroundings,
): DeclaredOutsider[] {
  const clusterDns = { name: "external/kube-dns", namespace: "kube-system", labels: { "k8s-app": "kube-dns" } };
  const apiServer = { name: "external/api-server", addresses: AddressSet.parse(apiServerCidr) ?? AddressSet.none };
  return [
    ...[
      ...controllers(mesh).map(partyOfService),
      ...(autoRotateCerts === true ? issuingZones(mesh).map((zone) => partyName("mesh", issuerOf(zone))) : []),
    ].map((party): DeclaredOutsider => ({
      party,
      direction: "egress",
      outsider: apiServer,
      ports: PortSet.tcp(apiServerPort),
    })),
    ...mesh.services.flatMap(externalOf),
    ...gateways(mesh).flatMap((gateway) => linksOf(mesh, partyOfService(gateway))),
    ...DECLARED_DISCOVERY[discoveryBackend].dnsClients.map((party): DeclaredOutsider => ({
      party,
      direction: "egress",
      outsider: clusterDns,
      ports: dns(53),
    })),
  ];
}

/** Where the way out to a service outside the cluster leads: its addresses, its ports, nobody else's way. */
function externalOf(service: Service): DeclaredOutsider[] {
  const { workload, ports } = service;
  if (workload.kind !== "external" || !isTrusted(service)) return [];
  const addresses = AddressSet.union(workload.addresses.map((ip) => AddressSet.parse(`${ip}/32`) ?? AddressSet.none));
  const party = partyOfService(service);
  return [
    {
      party,
      direction: "egress",
      outsider: { name: `what ${party} stands for`, addresses },
      ports: PortSet.union(ports.map(({ port }) => PortSet.tcp(port))),
    },
  ];
}

/** Where the gateway goes, and from where others come to it. */
function linksOf({ datacenters }: Mesh, party: string): DeclaredOutsider[] {
  const set = (cidrs: readonly string[]) =>
    AddressSet.union(cidrs.map((cidr) => AddressSet.parse(cidr) ?? AddressSet.none));
  return (datacenters?.peers ?? []).flatMap(({ name, isCalled, calls, gateway }): DeclaredOutsider[] => [
    ...(isCalled
      ? [
          {
            party,
            direction: "egress",
            outsider: { name: `the gateway of ${name}`, addresses: set(gateway.addresses.map((ip) => `${ip}/32`)) },
            ports: PortSet.tcp(gateway.port),
          } as const,
        ]
      : []),
    ...(calls
      ? [
          {
            party,
            direction: "ingress",
            outsider: { name: `the gateway of ${name}`, addresses: set(gateway.sources) },
            ports: CALLS,
          } as const,
        ]
      : []),
  ]);
}

function gateways(mesh: Mesh): readonly Service[] {
  const isSeveral = mesh.datacenters !== undefined;
  return mesh.services.filter((service) => isSeveral && service.name === WELL_KNOWN.gateway && isTrusted(service));
}

function inspectors(mesh: Mesh): readonly Service[] {
  const names: readonly string[] = [WELL_KNOWN.prometheus, WELL_KNOWN.controller];
  return mesh.services.filter((service) => names.includes(service.name) && isTrusted(service));
}

function controllers(mesh: Mesh): readonly Service[] {
  return mesh.services.filter((service) => service.name === WELL_KNOWN.controller && isTrusted(service));
}

/** Whether there are pods of a service, or what would make them. A revoked job is not made. */
function isDeployed(service: Service): boolean {
  return isTrusted(service) || service.workload.kind !== "job";
}

function isTrusted({ revoked }: Service): boolean {
  return revoked === undefined;
}

function partyOfService({ zone, name }: Service): string {
  return partyName(zone, name);
}

function dns(port: number): PortSet {
  return PortSet.tcp(port).union(PortSet.udp(port));
}
