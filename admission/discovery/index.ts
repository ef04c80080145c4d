import type { AdmissionImages } from "../data";
import { consulDiscovery } from "./consul";
import { etcdDiscovery } from "./etcd";
import type { AdmittedDiscovery } from "./model";

export type { AdmittedDiscovery } from "./model";

const BACKENDS = { consul: consulDiscovery, etcd: etcdDiscovery } as const;

/** Names of the backends, as the stack's configuration has them. */
export type BackendName = keyof typeof BACKENDS;

/** What the chosen backend runs and opens. */
export function admittedDiscovery(backend: BackendName, images: AdmissionImages): AdmittedDiscovery {
  return BACKENDS[backend](images);
}
