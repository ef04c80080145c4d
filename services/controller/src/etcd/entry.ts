import { DISCOVERY_TIMES } from "../../../../mesh/drain.js";
import { etcdKeyOf } from "../../../../mesh/etcd.js";
import { SIDECAR_PORTS } from "../../../../mesh/wire.js";
import { tagsOf, versionTagOf, type Registration } from "../registry/registration.js";
import type { KeyValue } from "./store.js";

/** Everything that stands in etcd under one pod's name: one key, where nobody else wrote. */
export interface EtcdEntry {
  readonly records: readonly KeyValue[];
}

/**
 * What stands in etcd for an instance that is ready. `host`, `port` and `ttl` are CoreDNS's; what else the value says, its plugin leaves alone.
 *
 * @see https://coredns.io/plugins/etcd/
 */
export function recordOf(registration: Registration, lease: string): KeyValue {
  const { zone, pod, uid, service, address, version } = registration;
  const value = {
    host: address,
    port: SIDECAR_PORTS.inbound,
    ttl: DISCOVERY_TIMES.cache,
    id: pod,
    name: service,
    plane: zone,
    version,
    tags: tagsOf(registration),
    uid,
  };
  return { key: etcdKeyOf(service, versionTagOf(registration), pod), value: JSON.stringify(value), lease };
}

/** The pod that a key is named for. */
export function podOfKey(key: string): string {
  return key.slice(key.lastIndexOf("/") + 1);
}
