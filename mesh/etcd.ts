/** What stands in etcd, and whose it is: agreed between who writes it, who reads it and who gives the rights. */
import type { ZoneName } from "./model";
import { discoveryNameOf, hostnameOf } from "./names";
import { DISCOVERY_DOMAIN, NODE_RESOLVER } from "./wire";

/**
 * Where CoreDNS's plugin `etcd` looks for a name: its labels, the last one first.
 *
 * @see https://coredns.io/plugins/etcd/
 */
function pathOf(name: string): string {
  return `${ETCD_PATH}/${name.split(".").reverse().join("/")}/`;
}

/** What every path begins with: the plugin's option `path`. */
export const ETCD_PATH = "/skydns";

/** What every key of discovery begins with. */
export const ETCD_ROOT = pathOf(DISCOVERY_DOMAIN);

/** What the keys of a service begin with, and of no other service: it ends with a `/`. */
export function etcdPrefixOf(service: string): string {
  return pathOf(discoveryNameOf(service));
}

/** Stands where a tag would, for instances that have none; no DNS name that a tag could have. */
const UNTAGGED = "_";

/**
 * The key of one instance. The plugin answers a name with everything below it, so that one key stands for the service and for its version alike.
 *
 * @param tag of the instance's version, by which `<tag>.<service>.service.<domain>` is asked for
 */
export function etcdKeyOf(service: string, tag: string | undefined, pod: string): string {
  return `${etcdPrefixOf(service)}${tag ?? UNTAGGED}/${pod}`;
}

/** The end of the range of all keys that begin with a prefix: the prefix with its last byte raised. */
export function rangeEndOf(prefix: string): string {
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
}

/** User, and role, that writes a zone's instances. */
export function etcdRegistrarOf(zone: ZoneName): string {
  return `registrar-${zone}`;
}

/** User of the node resolvers, by the common name of their certificate: they have no password. */
export const ETCD_RESOLVER = hostnameOf(NODE_RESOLVER.service);
