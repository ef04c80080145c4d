import { CONSUL, NODE_RESOLVER } from "../../../mesh/wire";
import { partyName } from "../../../policies/reachability";
import { PortSet } from "../../../policies/reachability/network";
import type { DeclaredEdge } from "../../../policies/reachability/network";
import { consulClientOf } from "../../timeline/reading";
import { NO_RIGHTS } from "./model";
import type { DeclaredDiscovery } from "./model";

const GOSSIP = PortSet.tcp(CONSUL.gossipPort).union(PortSet.udp(CONSUL.gossipPort));
const RPC = PortSet.tcp(CONSUL.rpcPort).union(GOSSIP);

const consul = partyName("mesh", CONSUL.service);
const resolver = partyName("mesh", NODE_RESOLVER.service);

/** Consul's servers, and its client agents in the node resolvers' pods. */
export const consulDiscovery: DeclaredDiscovery = {
  edges: (registrars) => [
    ...registrars.map((from): DeclaredEdge => ({ from, to: consul, ports: PortSet.tcp(CONSUL.httpsPort) })),
    ...[consul, resolver].flatMap((from): DeclaredEdge[] => [
      { from, to: consul, ports: RPC },
      { from, to: resolver, ports: GOSSIP },
    ]),
  ],
  dnsClients: [consul, resolver],
  entitlements: (registrars) => [
    ...registrars.map(({ zone, party, services, isThere }) => ({
      ...NO_RIGHTS,
      title: `registers zone ${zone}`,
      word: zone,
      holders: [party],
      registers: services,
      isRequired: isThere,
      // Each instance is registered on a node of its own.
      nodePrefixes: [`lucid-${zone}-`],
    })),
    {
      ...NO_RIGHTS,
      title: "looks names up for the node resolvers",
      word: NODE_RESOLVER.service,
      holders: [resolver],
      // Its agent joins under such a name.
      nodePrefixes: [`${NODE_RESOLVER.service}-`],
      readsAll: true,
    },
    // One token for each who registers, whatever the number of zones.
    ...[...new Map(registrars.map(({ party, isThere }) => [party, isThere]))].map(([party, isThere]) => ({
      ...NO_RIGHTS,
      title: "compares ACLs with what was declared",
      word: "acl-reader",
      holders: [party],
      readsAcls: true,
      isRequired: isThere,
    })),
    // Consul gives its whole state to nobody who may not write ACLs.
    { ...NO_RIGHTS, title: "takes snapshots", word: "snapshots", holders: [consul], writesAcls: true },
    // The token that servers start from; the deployer's is the same.
    { ...NO_RIGHTS, title: "does everything", word: "management", holders: [consul], isRoot: true, isRequired: false },
  ],
  tlsEdges: (registrar) => [
    ...(registrar === undefined ? [] : [{ from: consulClientOf(registrar), to: consul }]),
    { from: consul, to: consul },
    { from: resolver, to: consul },
  ],
};
