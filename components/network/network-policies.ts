import { arrivalsTo, departuresOf, edgesFrom, edgesTo, inspectorsOf, isGateway } from "../../mesh";
import type { Mesh, Service, Zone } from "../../mesh";
import { GATEWAY, LIVE_CANARY, NODE_RESOLVER, SIDECAR_PORTS, WELL_KNOWN } from "../../mesh/wire";
import type { DiscoveryBackend, DiscoveryNetwork } from "../discovery/backend";
import type { NetworkPolicyPeer, NetworkPolicySpec, Permission } from "./network-peers";
import { addresses, dns, isolate, meshedPods, pods, servicePods, tcp } from "./network-peers";

/** What the policies need to know of the cluster. */
export interface NetworkSurroundings {
  /** CIDR of the Kubernetes API's endpoints. */
  readonly apiServerCidr: string;
  readonly apiServerPort: number;
  /** Whose policies and openings come with the mesh's own. */
  readonly discovery: Pick<DiscoveryBackend, "network">;
  /** Names of the issuers, where there are some. Default: none. */
  readonly issuers?: readonly string[];
}

/** A NetworkPolicy by its name and namespace; plain data. */
export interface NamedNetworkPolicy {
  readonly name: string;
  readonly namespace: string;
  readonly spec: NetworkPolicySpec;
}

const MESH_NAMESPACE = "lucid-mesh";

/** Name of the policy that closes a zone. */
export const DEFAULT_DENY = "default-deny";

/** Every NetworkPolicy of one zone: the default deny, and one policy for each service and each infrastructure workload in it. */
export function networkPolicies(mesh: Mesh, zone: Zone, surroundings: NetworkSurroundings): NamedNetworkPolicy[] {
  const services = mesh.services.filter((service) => service.zone === zone.name);
  const discovery = surroundings.discovery.network(mesh);
  const infrastructure =
    zone.name === "mesh"
      ? [...discovery.policies, resolverPolicy(mesh, discovery), ...issuerPolicies(surroundings)]
      : [];
  return [
    defaultDeny(zone),
    ...services.map((service) => servicePolicy(mesh, service, surroundings)),
    ...infrastructure,
  ];
}

/** Closes every pod of the namespace in both directions; what is open is open by another policy. */
function defaultDeny(zone: Zone): NamedNetworkPolicy {
  const spec: NetworkPolicySpec = {
    podSelector: { matchLabels: {} },
    policyTypes: ["Ingress", "Egress"],
    ingress: [],
    egress: [],
  };
  return { name: DEFAULT_DENY, namespace: zone.namespace, spec };
}

function servicePolicy(mesh: Mesh, service: Service, surroundings: NetworkSurroundings): NamedNetworkPolicy {
  const { name, namespace } = service;
  if (service.revoked !== undefined) return { name, namespace, spec: isolate(name, [], []) };
  const callers = servicesOf(
    mesh,
    edgesTo(mesh, service).map((edge) => edge.from),
  );
  const callees = servicesOf(
    mesh,
    edgesFrom(mesh, service).map((edge) => edge.to),
  );
  const inspectors = inspectorsOf(mesh, service).filter((inspector) => inspector !== service);
  const ingress: Permission[] = [
    { peers: callers.map(servicePods), ports: tcp(SIDECAR_PORTS.inbound) },
    { peers: inspectors.map(servicePods), ports: tcp(SIDECAR_PORTS.inspection) },
  ];
  const egress: Permission[] = [
    { peers: callees.map(servicePods), ports: tcp(SIDECAR_PORTS.inbound) },
    { peers: [pods(MESH_NAMESPACE, NODE_RESOLVER.service)], ports: dns(NODE_RESOLVER.dnsPort) },
  ];
  const { ingress: entering, egress: leaving } = crossings(mesh, service);
  ingress.push(...entering);
  egress.push(...leaving);
  const { workload } = service;
  if (workload.kind === "external") {
    const outside = workload.addresses.map((address) => addresses(`${address}/32`));
    egress.push({ peers: outside, ports: tcp(...service.ports.map(({ port }) => port)) });
  }
  if (service.name === WELL_KNOWN.prometheus) {
    egress.push({ peers: zonesWithServices(mesh).map(meshedPods), ports: tcp(SIDECAR_PORTS.inspection) });
  }
  if (service.name === WELL_KNOWN.controller) {
    // In one rule, so that who is let out to the one is let out to the other: what is refused is then refused where it goes to.
    const ports = tcp(LIVE_CANARY.open, LIVE_CANARY.closed);
    egress.push({ peers: meshedBut(mesh, service), ports });
    egress.push(...surroundings.discovery.network(mesh).registrarEgress);
    egress.push({ peers: [addresses(surroundings.apiServerCidr)], ports: tcp(surroundings.apiServerPort) });
  }
  return { name, namespace, spec: isolate(name, ingress, egress) };
}

/** What lets calls leave for other datacenters, and arrive from there: only the gateway goes out of the cluster, and only from it others come in. */
function crossings(mesh: Mesh, service: Service): { readonly ingress: Permission[]; readonly egress: Permission[] } {
  const { peers = [], departures = [], arrivals = [] } = mesh.datacenters ?? {};
  const gateway = mesh.services.filter((each) => isGateway(mesh, each)).map(servicePods);
  const leaves = departuresOf(mesh, service).length > 0;
  const arrives = arrivalsTo(mesh, service).length > 0;
  const way = {
    ingress: arrives ? [{ peers: gateway, ports: tcp(SIDECAR_PORTS.inbound) }] : [],
    egress: leaves ? [{ peers: gateway, ports: tcp(GATEWAY.departurePort) }] : [],
  };
  if (!isGateway(mesh, service)) return way;
  const callers = servicesOf(
    mesh,
    departures.map(({ edge }) => edge.from),
  );
  const callees = servicesOf(
    mesh,
    arrivals.map(({ edge }) => edge.to),
  );
  const sources = peers.filter(({ calls }) => calls).flatMap(({ gateway: { sources: cidrs } }) => cidrs);
  return {
    ingress: [
      { peers: callers.map(servicePods), ports: tcp(GATEWAY.departurePort) },
      { peers: sources.map(addresses), ports: tcp(SIDECAR_PORTS.inbound) },
    ],
    egress: [
      { peers: callees.map(servicePods), ports: tcp(SIDECAR_PORTS.inbound) },
      ...peers
        .filter(({ isCalled }) => isCalled)
        .map(({ gateway: place }) => ({
          peers: place.addresses.map((address) => addresses(`${address}/32`)),
          ports: tcp(place.port),
        })),
    ],
  };
}

/** The node resolvers: without a sidecar, for sidecars ask them for names. */
function resolverPolicy(mesh: Mesh, { resolverIngress, resolverEgress }: DiscoveryNetwork): NamedNetworkPolicy {
  const questions: Permission = {
    peers: zonesWithServices(mesh).map(meshedPods),
    ports: [...dns(NODE_RESOLVER.dnsPort), ...tcp(NODE_RESOLVER.canaryPort)],
  };
  return {
    name: NODE_RESOLVER.service,
    namespace: MESH_NAMESPACE,
    spec: isolate(NODE_RESOLVER.service, [questions, ...resolverIngress], resolverEgress),
  };
}

/** Issuers ask the Kubernetes API alone, and nobody asks them: kubelet's probes come from their own node. */
function issuerPolicies({ issuers = [], apiServerCidr, apiServerPort }: NetworkSurroundings): NamedNetworkPolicy[] {
  const api = { peers: [addresses(apiServerCidr)], ports: tcp(apiServerPort) };
  return issuers.map((name) => ({ name, namespace: MESH_NAMESPACE, spec: isolate(name, [], [api]) }));
}

function zonesWithServices(mesh: Mesh): readonly Zone[] {
  return mesh.zones.filter((zone) => mesh.services.some((service) => service.zone === zone.name));
}

/**
 * Every pod with a sidecar but those of one service. Who is let out to pods of its own policy is let in there by kube-router, too: it asks for what enters a pod by the same rules as for what leaves another of the policy.
 */
function meshedBut(mesh: Mesh, service: Service): NetworkPolicyPeer[] {
  return zonesWithServices(mesh).flatMap((zone) =>
    zone.name === service.zone
      ? mesh.services.filter((other) => other.zone === zone.name && other !== service).map(servicePods)
      : [meshedPods(zone)],
  );
}

/** The services of these names that exist, each once, in the mesh's order. */
function servicesOf(mesh: Mesh, names: readonly string[]): Service[] {
  const wanted = new Set(names);
  return mesh.services.filter((service) => wanted.has(service.name));
}
