import type { ZoneName } from "../../../mesh/model.js";
import { LABELS } from "../../../mesh/wire.js";
import type { ControllerConfig } from "./config.js";
import { SidecarObjects } from "./distribution/objects.js";
import type { Failures } from "./failures.js";
import type { KubernetesApi } from "./kubernetes/api.js";
import { NodeLeases } from "./kubernetes/leases.js";
import { PodStore } from "./kubernetes/pods.js";
import { LeaseClock } from "./lease-clock.js";
import type { Log } from "./log.js";
import type { Metrics } from "./metrics.js";
import { ServiceStore } from "./services/store.js";
import { ZoneView } from "./zone.js";

/** Who acts on what is seen: the leader's work, while there is any. */
export interface Watcher {
  /** A pod appeared, changed or went, or its node died or came back. */
  readonly podChanged: (zone: ZoneName, namespace: string, pod: string, services: ReadonlySet<string>) => void;
  /** What the document declares of a service has changed, or what its status says. */
  readonly serviceChanged: (zone: ZoneName, service: string) => void;
  /** What the sidecars of a service read has changed; of every service of the namespace where `service` is undefined. */
  readonly objectsChanged: (namespace: string, service: string | undefined) => void;
}

/** What is told of what is seen. */
export interface Telling {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly failures: Failures;
}

/** What every replica sees of the cluster, whether it leads or not: who follows takes over without having to look first. */
export class Views {
  readonly zones: readonly ZoneView[];
  readonly objects: readonly SidecarObjects[];
  readonly services: readonly ServiceStore[];
  readonly leases: NodeLeases;
  /** Who is told of changes; nobody while another replica leads. */
  watcher: Watcher | undefined;

  constructor(
    api: KubernetesApi,
    {
      zones: bindings,
      zonesElsewhere,
      registryTtl,
    }: Pick<ControllerConfig, "zones" | "zonesElsewhere" | "registryTtl">,
    { log, metrics, failures }: Telling,
  ) {
    this.leases = new NodeLeases(api, new LeaseClock(registryTtl * 1000, () => performance.now()), {
      changed: (nodes, dead) => {
        for (const node of nodes) {
          log.warn(dead ? "node does not renew its lease: its instances go" : "node is back", { node });
        }
        this.nodesChanged(nodes);
      },
      failed: (error) => {
        metrics.failure("none", "watch-leases");
        failures.note("node leases", error);
      },
    });
    this.zones = bindings.map(({ namespace, zone }) => {
      const pods = new PodStore(api, namespace, {
        changed: (pod, services) => {
          this.watcher?.podChanged(zone, namespace, pod, services);
        },
        failed: (error) => {
          metrics.failure(zone, "watch-pods");
          failures.note(`pods of ${namespace}`, error);
        },
      });
      return new ZoneView(zone, pods, (node) => this.leases.isDead(node), zonesElsewhere.includes(zone));
    });
    this.objects = bindings.map(
      ({ namespace }) =>
        new SidecarObjects(api, namespace, {
          changed: (service) => {
            this.watcher?.objectsChanged(namespace, service);
          },
          failed: (error) => {
            metrics.failure("none", "distribute");
            failures.note(`sidecars' objects of ${namespace}`, error);
          },
        }),
    );
    this.services = bindings.map(
      ({ namespace, zone }) =>
        new ServiceStore(api, namespace, {
          changed: (service) => {
            this.watcher?.serviceChanged(zone, service);
          },
          failed: (error) => {
            metrics.failure(zone, "watch-services");
            failures.note(`MeshServices of ${namespace}`, error);
          },
        }),
    );
  }

  /** Looks until `signal` is aborted. */
  async follow(signal: AbortSignal): Promise<void> {
    await Promise.all([
      this.leases.follow(signal),
      ...this.zones.map(({ pods }) => pods.follow(signal)),
      ...this.objects.map((objects) => objects.follow(signal)),
      ...this.services.map((services) => services.follow(signal)),
    ]);
  }

  private nodesChanged(nodes: readonly string[]): void {
    for (const zone of this.zones) {
      for (const { name, node, labels } of zone.pods.all()) {
        if (node !== undefined && nodes.includes(node)) {
          const service = labels[LABELS.name];
          const services = new Set(service === undefined ? [] : [service]);
          this.watcher?.podChanged(zone.name, zone.pods.namespace, name, services);
        }
      }
    }
  }
}
