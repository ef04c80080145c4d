import { CONSUL, NODE_RESOLVER } from "../../mesh/wire";
import type { AdmissionImages } from "../data";
import type { AdmittedDiscovery } from "./model";

const consul = `mesh/${CONSUL.service}`;
const resolver = `mesh/${NODE_RESOLVER.service}`;
const gossip = [`${CONSUL.gossipPort}/TCP`, `${CONSUL.gossipPort}/UDP`];

/** Consul's servers, with what takes snapshots beside them, and its client agents in the node resolvers' pods. */
export function consulDiscovery(images: Pick<AdmissionImages, "consul" | "snapshots">): AdmittedDiscovery {
  return {
    parties: new Map([[consul, [images.consul, images.snapshots]]]),
    resolverImages: [images.consul],
    openings: (registrars) => [
      ...registrars.map((from) => `${from}>${consul}:${CONSUL.httpsPort}/TCP`),
      ...[consul, resolver].flatMap((from) => [
        ...[`${CONSUL.rpcPort}/TCP`, ...gossip].map((port) => `${from}>${consul}:${port}`),
        ...gossip.map((port) => `${from}>${resolver}:${port}`),
      ]),
    ],
    certified: () => [],
    dnsClients: [consul, resolver],
  };
}
