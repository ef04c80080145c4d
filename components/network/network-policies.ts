import { edgesFrom, edgesTo, inspectorsOf } from "../../mesh";
import type { Mesh, Service, Zone } from "../../mesh";
import { CONSUL, NODE_RESOLVER, SIDECAR_PORTS, WELL_KNOWN } from "../../mesh/wire";
import type { NetworkPolicySpec, Permission } from "./network-peers";
import { addresses, clusterDns, dns, isolate, meshedPods, pods, servicePods, tcp, udp } from "./network-peers";

/** What the policies need to know of the cluster. */
export interface NetworkSurroundings {
  /** CIDR of the Kubernetes API's endpoints. */
  readonly apiServerCidr: string;
  readonly apiServerPort: number;
}

/** A NetworkPolicy by its name and namespace; plain data. */
export interface NamedNetworkPolicy {
  readonly name: string;
  readonly namespace: string;
  readonly spec: NetworkPolicySpec;
}

const MESH_NAMESPACE = "lucid-mesh";

/** Every NetworkPolicy of one zone: the default deny, and one policy for each service and each infrastructure workload in it. */
export function networkPolicies(mesh: Mesh, zone: Zone, surroundings: NetworkSurroundings): NamedNetworkPolicy[] {
  const services = mesh.services.filter((service) => service.zone === zone.name);
  const infrastructure = zone.name === "mesh" ? infrastructurePolicies(mesh) : [];
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
  return { name: "default-deny", namespace: zone.namespace, spec };
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
  if (service.name === WELL_KNOWN.prometheus || service.name === WELL_KNOWN.controller) {
    egress.push({ peers: zonesWithServices(mesh).map(meshedPods), ports: tcp(SIDECAR_PORTS.inspection) });
  }
  if (service.name === WELL_KNOWN.controller) {
    egress.push({ peers: [pods(MESH_NAMESPACE, CONSUL.service)], ports: tcp(CONSUL.httpsPort) });
    egress.push({ peers: [addresses(surroundings.apiServerCidr)], ports: tcp(surroundings.apiServerPort) });
  }
  return { name, namespace, spec: isolate(name, ingress, egress) };
}

/** Consul's servers and the node resolvers: without a sidecar, under TLS and a gossip key of their own. */
function infrastructurePolicies(mesh: Mesh): NamedNetworkPolicy[] {
  const consul = pods(MESH_NAMESPACE, CONSUL.service);
  const resolvers = pods(MESH_NAMESPACE, NODE_RESOLVER.service);
  const gossip = [...tcp(CONSUL.gossipPort), ...udp(CONSUL.gossipPort)];
  const controller = servicesOf(mesh, [WELL_KNOWN.controller])
    .filter(({ revoked }) => revoked === undefined)
    .map(servicePods);
  return [
    {
      name: CONSUL.service,
      namespace: MESH_NAMESPACE,
      spec: isolate(
        CONSUL.service,
        [
          { peers: controller, ports: tcp(CONSUL.httpsPort) },
          { peers: [consul, resolvers], ports: [...tcp(CONSUL.rpcPort), ...gossip] },
        ],
        [
          { peers: [consul], ports: [...tcp(CONSUL.rpcPort), ...gossip] },
          { peers: [resolvers], ports: gossip },
          { peers: [clusterDns()], ports: dns() },
        ],
      ),
    },
    {
      name: NODE_RESOLVER.service,
      namespace: MESH_NAMESPACE,
      spec: isolate(
        NODE_RESOLVER.service,
        [
          {
            peers: zonesWithServices(mesh).map(meshedPods),
            ports: [...dns(NODE_RESOLVER.dnsPort), ...tcp(NODE_RESOLVER.canaryPort)],
          },
          { peers: [consul, resolvers], ports: gossip },
        ],
        [
          { peers: [consul], ports: [...tcp(CONSUL.rpcPort), ...gossip] },
          { peers: [resolvers], ports: gossip },
          { peers: [clusterDns()], ports: dns() },
        ],
      ),
    },
  ];
}

function zonesWithServices(mesh: Mesh): readonly Zone[] {
  return mesh.zones.filter((zone) => mesh.services.some((service) => service.zone === zone.name));
}

/** The services of these names that exist, each once, in the mesh's order. */
function servicesOf(mesh: Mesh, names: readonly string[]): Service[] {
  const wanted = new Set(names);
  return mesh.services.filter((service) => wanted.has(service.name));
}
