import { ETCD, NODE_RESOLVER } from "../../mesh/wire";
import type { AdmissionImages } from "../data";
import type { AdmittedDiscovery } from "./model";

const etcd = `mesh/${ETCD.service}`;
const keeper = `mesh/${ETCD.access}`;
const resolver = `mesh/${NODE_RESOLVER.service}`;

/** etcd's servers, and the keeper of its users, which is a program of the controller's image. */
export function etcdDiscovery(images: Pick<AdmissionImages, "etcd" | "controller">): AdmittedDiscovery {
  return {
    parties: new Map([
      [etcd, [images.etcd]],
      [keeper, [images.controller]],
    ]),
    resolverImages: [],
    openings: (registrars) => [
      ...[...registrars, keeper, resolver].map((from) => `${from}>${etcd}:${ETCD.clientPort}/TCP`),
      `${etcd}>${etcd}:${ETCD.peerPort}/TCP`,
    ],
    certified: (registrars) => registrars,
    dnsClients: [etcd, resolver],
  };
}
