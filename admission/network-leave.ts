/** What NetworkPolicies may open: the document's calls, and what the mesh itself needs. Nothing here comes from what renders the policies. */
import type { Mesh, Service } from "../mesh";
import { GATEWAY, LIVE_CANARY, NODE_RESOLVER, SIDECAR_PORTS, WELL_KNOWN } from "../mesh/wire";
import type { AdmittedDiscovery } from "./discovery";

export interface NetworkLeave {
  /** For each party those that it may reach on the sidecars' port. */
  readonly calls: ReadonlyMap<string, readonly string[]>;
  /** Further openings, `<from>><to>:<number>/<protocol>`; `*` is every party with a sidecar. Of the callee's side, and of the caller's. */
  readonly letIn: readonly string[];
  readonly letOut: readonly string[];
}

/** What of a stack's configuration decides it. */
interface Surroundings {
  readonly apiServerCidr: string;
  readonly apiServerPort: number;
  /** Names of the issuers. Default: none. */
  readonly issuers?: readonly string[];
}

/** The cluster's own DNS, as policies name it. */
export const CLUSTER_DNS = "external/kube-dns";

const resolver = `mesh/${NODE_RESOLVER.service}`;
const dns = (port: number) => [`${port}/UDP`, `${port}/TCP`];

export function networkLeave(
  mesh: Mesh,
  { apiServerCidr, apiServerPort, issuers = [] }: Surroundings,
  discovery: AdmittedDiscovery,
): NetworkLeave {
  const inspectors = trusted(mesh, WELL_KNOWN.prometheus, WELL_KNOWN.controller);
  const controllers = registrars(mesh);
  const both = [
    ...inspectors.map((from) => opening(from, "*", `${SIDECAR_PORTS.inspection}/TCP`)),
    ...dns(NODE_RESOLVER.dnsPort).map((port) => opening("*", resolver, port)),
    ...discovery.openings(controllers),
    ...gatewaysOf(mesh).flatMap((gateway) =>
      callersElsewhere(mesh).map((from) => opening(from, gateway, `${GATEWAY.departurePort}/TCP`)),
    ),
  ];
  return {
    calls: callsOf(mesh),
    // The start gate's canary is let in and out nowhere: a pod that reaches it has no enforced policy yet.
    letIn: [...both, opening("*", resolver, `${NODE_RESOLVER.canaryPort}/TCP`), ...linksIn(mesh)],
    letOut: [
      ...both,
      // The live canary is let out and in nowhere: a pod that it comes to is one whose policy isn't enforced.
      ...controllers.map((from) => opening(from, "*", `${LIVE_CANARY.closed}/TCP`)),
      ...[...controllers, ...issuers.map((name) => `mesh/${name}`)].map((from) =>
        opening(from, apiServerCidr, `${apiServerPort}/TCP`),
      ),
      ...mesh.services.filter(isTrusted).flatMap(waysOut),
      ...linksOut(mesh),
      ...discovery.dnsClients.flatMap((from) => dns(53).map((port) => opening(from, CLUSTER_DNS, port))),
    ],
  };
}

function callsOf(mesh: Mesh): ReadonlyMap<string, readonly string[]> {
  const parties = new Map(mesh.services.map((service) => [service.name, partyOf(service)]));
  const calls = new Map<string, Set<string>>();
  for (const { from, to } of mesh.edges) {
    const [caller, callee] = [parties.get(from), parties.get(to)];
    if (caller === undefined || callee === undefined) continue;
    calls.set(caller, (calls.get(caller) ?? new Set()).add(callee));
  }
  for (const gateway of gatewaysOf(mesh)) {
    for (const { edge } of mesh.datacenters?.arrivals ?? []) {
      const callee = parties.get(edge.to);
      if (callee !== undefined) calls.set(gateway, (calls.get(gateway) ?? new Set()).add(callee));
    }
  }
  return new Map([...calls].map(([caller, callees]) => [caller, [...callees]]));
}

/** Who registers instances at the discovery backend, and whom somebody is to believe. */
export function registrars(mesh: Mesh): readonly string[] {
  return trusted(mesh, WELL_KNOWN.controller);
}

/** Where the way out to a service outside the cluster leads. */
function waysOut(service: Service): readonly string[] {
  const { workload, ports } = service;
  if (workload.kind !== "external") return [];
  return workload.addresses.flatMap((address) =>
    ports.map(({ port }) => opening(partyOf(service), `${address}/32`, `${port}/TCP`)),
  );
}

/** The gateway of this datacenter, where there are several. */
function gatewaysOf(mesh: Mesh): readonly string[] {
  return mesh.datacenters === undefined ? [] : trusted(mesh, WELL_KNOWN.gateway);
}

/** Services here whose calls leave. */
function callersElsewhere({ services, datacenters }: Mesh): readonly string[] {
  const callers = new Set((datacenters?.departures ?? []).map(({ edge }) => edge.from));
  return services.filter(({ name }) => callers.has(name)).map(partyOf);
}

/** Where the gateway goes: to those of the datacenters that are called. */
function linksOut(mesh: Mesh): readonly string[] {
  return gatewaysOf(mesh).flatMap((party) =>
    (mesh.datacenters?.peers ?? [])
      .filter(({ isCalled }) => isCalled)
      .flatMap(({ gateway: { addresses, port } }) =>
        addresses.map((address) => opening(party, `${address}/32`, `${String(port)}/TCP`)),
      ),
  );
}

/** From where others come to it. */
function linksIn(mesh: Mesh): readonly string[] {
  return gatewaysOf(mesh).flatMap((party) =>
    (mesh.datacenters?.peers ?? [])
      .filter(({ calls }) => calls)
      .flatMap(({ gateway }) => gateway.sources.map((cidr) => opening(cidr, party, `${SIDECAR_PORTS.inbound}/TCP`))),
  );
}

function isTrusted({ revoked }: Service): boolean {
  return revoked === undefined;
}

function trusted(mesh: Mesh, ...names: readonly string[]): readonly string[] {
  return mesh.services.filter(({ name, revoked }) => names.includes(name) && revoked === undefined).map(partyOf);
}

function partyOf({ zone, name }: Service): string {
  return `${zone}/${name}`;
}

function opening(from: string, to: string, port: string): string {
  return `${from}>${to}:${port}`;
}
