import type { Mesh } from "../../../mesh";
import { CONSUL, NODE_RESOLVER } from "../../../mesh/wire";
import { clusterDns, dns, isolate, pods, registrarPods, tcp, udp } from "../../network/network-peers";
import type { DiscoveryNetwork } from "../backend";

const MESH_NAMESPACE = "lucid-mesh";

/** Consul's servers, and the client agents of the node resolvers: without a sidecar, under TLS and a gossip key of their own. */
export function consulNetwork(mesh: Mesh): DiscoveryNetwork {
  const servers = pods(MESH_NAMESPACE, CONSUL.service);
  const resolvers = pods(MESH_NAMESPACE, NODE_RESOLVER.service);
  const gossip = [...tcp(CONSUL.gossipPort), ...udp(CONSUL.gossipPort)];
  const api = tcp(CONSUL.httpsPort);
  const toServersAndAgents = [
    { peers: [servers], ports: [...tcp(CONSUL.rpcPort), ...gossip] },
    { peers: [resolvers], ports: gossip },
    { peers: [clusterDns()], ports: dns() },
  ];
  return {
    policies: [
      {
        name: CONSUL.service,
        namespace: MESH_NAMESPACE,
        spec: isolate(
          CONSUL.service,
          [
            { peers: registrarPods(mesh), ports: api },
            { peers: [servers, resolvers], ports: [...tcp(CONSUL.rpcPort), ...gossip] },
          ],
          toServersAndAgents,
        ),
      },
    ],
    registrarEgress: [{ peers: [servers], ports: api }],
    resolverIngress: [{ peers: [servers, resolvers], ports: gossip }],
    resolverEgress: toServersAndAgents,
  };
}
