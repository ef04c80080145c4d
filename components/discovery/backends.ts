/** The discovery backends that there are. Nothing else knows which of them a stack has chosen, but for each one's own files. */
import type { KubeConfig } from "@kubernetes/client-node";
import type { Settings } from "../stack/settings";
import type { DiscoveryBackend } from "./backend";
import { ConsulBackend } from "./consul/backend";
import { forwardConsul } from "./consul/forward";
import { EtcdBackend } from "./etcd/backend";

/** The backend that a stack has chosen. */
export function discoveryBackend(settings: Settings): DiscoveryBackend {
  return settings.discoveryBackend === "etcd" ? new EtcdBackend(settings) : new ConsulBackend(settings);
}

/**
 * Makes the backend's API reachable for this program for as long as it runs, where resources of the plan are made there.
 *
 * @returns `host:port`; undefined where the plan needs nothing of it
 */
export function reachDiscovery(settings: Settings, kubeConfig: KubeConfig): string | undefined {
  return settings.discoveryBackend === "etcd" ? undefined : forwardConsul(kubeConfig, settings.consulForwardPort);
}
