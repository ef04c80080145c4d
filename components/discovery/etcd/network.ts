import { ETCD, namespaceOf, NODE_RESOLVER, type Mesh } from "../../../mesh";
import { clusterDns, dns, isolate, pods, registrarPods, tcp } from "../../network/network-peers";
import type { DiscoveryNetwork } from "../backend";

/** etcd's servers and the keeper of its users: without a sidecar, under mutual TLS of their own. */
export function etcdNetwork(mesh: Mesh): DiscoveryNetwork {
  const namespace = namespaceOf("mesh");
  const servers = pods(namespace, ETCD.service);
  const keeper = pods(namespace, ETCD.access);
  const resolvers = pods(namespace, NODE_RESOLVER.service);
  const [client, peer] = [tcp(ETCD.clientPort), tcp(ETCD.peerPort)];
  const names = { peers: [clusterDns()], ports: dns() };
  return {
    policies: [
      {
        name: ETCD.service,
        namespace,
        spec: isolate(
          ETCD.service,
          [
            { peers: [...registrarPods(mesh), keeper, resolvers], ports: client },
            { peers: [servers], ports: peer },
          ],
          [{ peers: [servers], ports: peer }, names],
        ),
      },
      { name: ETCD.access, namespace, spec: isolate(ETCD.access, [], [{ peers: [servers], ports: client }]) },
    ],
    registrarEgress: [{ peers: [servers], ports: client }],
    resolverIngress: [],
    resolverEgress: [{ peers: [servers], ports: client }, names],
  };
}
