import type { ConsulClient } from "./consul/client.js";
import type { Controller } from "./controller.js";
import type { NodeLeases } from "./kubernetes/leases.js";
import { describe } from "./log.js";
import type { Actual } from "./plan.js";
import { nodeName } from "./registration.js";
import type { KeyMirror } from "./tokens/mirror.js";
import type { ZoneState } from "./zone.js";

/** Parts whose state is reported. */
export interface Parts {
  readonly zones: readonly ZoneState[];
  readonly controller: Controller;
  readonly consul: ConsulClient;
  readonly leases: NodeLeases;
  readonly keys: KeyMirror;
  /** Milliseconds without a successful answer after which Consul counts as out of reach. */
  readonly consulPatience: number;
}

/** Whether the controller does its work, and if not, why: the first sync of every zone and the first mirror of the token keys are done, and Consul answers. */
export function health(parts: Parts, now: number): { readonly healthy: boolean; readonly reasons: readonly string[] } {
  const reasons = parts.zones
    .filter((zone) => !zone.firstSyncDone)
    .map((zone) => `zone ${zone.name} is not synced yet${zone.error === undefined ? "" : `: ${describe(zone.error)}`}`);
  reasons.push(...parts.keys.missing.map((namespace) => `the token keys of ${namespace} are not mirrored yet`));
  const { lastSuccess } = parts.consul;
  if (lastSuccess === undefined || now - lastSuccess > parts.consulPatience) {
    reasons.push(
      lastSuccess === undefined ? "Consul never answered yet" : `Consul does not answer since ${iso(lastSuccess)}`,
    );
  }
  return { healthy: reasons.length === 0, reasons };
}

/** The whole state as JSON: services with their instances, the zones' last sync, failures. Holds no secret. */
export function status(parts: Parts, now: number): unknown {
  const { zones, controller, consul, leases } = parts;
  return {
    ...health(parts, now),
    services: zones.flatMap(servicesOf),
    zones: zones.map((zone) => ({
      name: zone.name,
      namespace: zone.pods.namespace,
      podsSynced: zone.pods.synced,
      podsError: zone.pods.error === undefined ? null : describe(zone.pods.error),
      lastSync: zone.lastSync === undefined ? null : iso(zone.lastSync),
      error: zone.error === undefined ? null : describe(zone.error),
      refused: Object.fromEntries([...zone.refusals].sort()),
    })),
    consul: { lastSuccess: consul.lastSuccess === undefined ? null : iso(consul.lastSuccess) },
    nodes: {
      error: leases.error === undefined ? null : describe(leases.error),
      dead: leases.dead(),
    },
    backlog: controller.backlog,
    failures: controller.failures.map(({ time, ...rest }) => ({ time: iso(time), ...rest })),
  };
}

interface InstanceStatus {
  readonly pod: string;
  readonly address: string;
  readonly version: string;
  readonly ready: boolean;
  /** Whether the catalogue is known to hold it so. */
  readonly registered: boolean;
}

function servicesOf(zone: ZoneState): { name: string; zone: string; instances: InstanceStatus[] }[] {
  const services = new Map<string, InstanceStatus[]>();
  for (const { service, pod, address, version, ready } of zone.desired().values()) {
    const instances = services.get(service) ?? [];
    const registered = isRegistered(zone.known.get(nodeName(zone.name, pod)), ready);
    instances.push({ pod, address, version, ready, registered });
    services.set(service, instances);
  }
  return [...services]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, instances]) => ({ name, zone: zone.name, instances }));
}

function isRegistered(entry: Actual, ready: boolean): boolean {
  const expected = ready ? "passing" : "critical";
  return entry !== undefined && entry !== "unknown" && entry.checks.some((check) => check.status === expected);
}

function iso(time: number): string {
  return new Date(time).toISOString();
}

/** How many instances of a zone should be registered, by status of their check. */
export function instanceCounts(zone: ZoneState): { zone: ZoneState["name"]; status: string; count: number }[] {
  const all = [...zone.desired().values()];
  const passing = all.filter(({ ready }) => ready).length;
  return [
    { zone: zone.name, status: "passing", count: passing },
    { zone: zone.name, status: "critical", count: all.length - passing },
  ];
}
