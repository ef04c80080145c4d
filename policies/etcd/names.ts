/** Where CoreDNS's plugin `etcd` finds names. Said here on its own: nothing is shared with what writes them. */

/** What every key of a name begins with. */
export const NAMES = "/skydns/internal/lucid/discovery/";

const SERVICES = `${NAMES}service/`;
const SERVICE = /^([a-z0-9-]+)\//;

/** The service whose name's keys begin with a key; undefined for any other key. */
export function serviceOfKey(key: string): string | undefined {
  return key.startsWith(SERVICES) ? SERVICE.exec(key.slice(SERVICES.length))?.[1] : undefined;
}

/** What the keys of one service's names begin with, and of no other's. */
export function prefixOfService(service: string): string {
  return `${SERVICES}${service}/`;
}
