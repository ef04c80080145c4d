import { consulDiscovery } from "./consul";
import { etcdDiscovery } from "./etcd";
import type { DeclaredDiscovery } from "./model";

/** What each discovery backend needs, by the name that the stack's configuration gives it. */
export const DECLARED_DISCOVERY = {
  consul: consulDiscovery,
  etcd: etcdDiscovery,
} as const satisfies Readonly<Record<string, DeclaredDiscovery>>;

/** What of a stack's configuration tells which backend it has. */
export interface DiscoveryChoice {
  readonly discoveryBackend: keyof typeof DECLARED_DISCOVERY;
}
