import { ETCD, NODE_RESOLVER } from "../../../mesh/wire";
import { partyName } from "../../../policies/reachability";
import { PortSet } from "../../../policies/reachability/network";
import { NO_RIGHTS } from "./model";
import type { DeclaredDiscovery } from "./model";

const CLIENT = PortSet.tcp(ETCD.clientPort);

const etcd = partyName("mesh", ETCD.service);
const keeper = partyName("mesh", ETCD.access);
const resolver = partyName("mesh", NODE_RESOLVER.service);

/** etcd's servers, and the keeper of its users. */
export const etcdDiscovery: DeclaredDiscovery = {
  edges: (registrars) => [
    ...[...registrars, keeper, resolver].map((from) => ({ from, to: etcd, ports: CLIENT })),
    { from: etcd, to: etcd, ports: PortSet.tcp(ETCD.peerPort) },
  ],
  dnsClients: [etcd, resolver],
  entitlements: (registrars) => [
    ...registrars.map(({ zone, party, services, isThere }) => ({
      ...NO_RIGHTS,
      title: `registers zone ${zone}`,
      word: zone,
      // The keeper gives the users their passwords.
      holders: [party, keeper],
      registers: services,
      isRequired: isThere,
      readsAll: true,
    })),
    {
      ...NO_RIGHTS,
      title: "looks names up for the node resolvers",
      word: NODE_RESOLVER.service,
      holders: [resolver],
      readsAll: true,
    },
    { ...NO_RIGHTS, title: "does everything", word: "root", holders: [keeper], isRoot: true },
  ],
  tlsEdges: (registrar) => [
    // Its Secret is `<registrar>-etcd-tls`, beside that of its sidecar.
    ...(registrar === undefined ? [] : [{ from: `${registrar}-etcd`, to: etcd }]),
    { from: keeper, to: etcd },
    { from: etcd, to: etcd },
    { from: resolver, to: etcd },
  ],
};
