import { LABELS } from "../../../../mesh/wire.js";
import { aborted, type BackoffBounds } from "../backoff.js";
import type { ApiWriter } from "../election/fence.js";
import { ApiError } from "../kubernetes/api.js";
import type { PodStore } from "../kubernetes/pods.js";
import type { Log } from "../log.js";
import { DISTRIBUTED, type Pod } from "../pod.js";
import { SettledQueue } from "../settled-queue.js";
import type { SidecarObjects } from "./objects.js";

/**
 * Milliseconds from a change to the pods' being told. Changes in between go with it; and kubelet, which hears of the object and of the pod by two watches of
 * its own, has heard of the object by then: told too early it would mount what was, and look again only a minute later.
 */
const SETTLE = 1_000;
/** Services whose pods are told at the same time. */
const CONCURRENCY = 8;

/** Who is told of failures. */
export interface DistributionEvents {
  readonly failed: (where: string, error: unknown) => void;
}

/** One zone: its pods, and what their sidecars read. */
export interface DistributedZone {
  readonly pods: PodStore;
  readonly objects: SidecarObjects;
}

/** Timing, changed in tests. */
export interface DistributionOptions {
  readonly settle?: number;
  readonly backoff?: BackoffBounds;
}

/**
 * Has kubelet bring changed configuration, trust and token keys to the sidecars at once. By itself it looks every 60 to 90 s; a changed annotation of a pod makes
 * it look now. The annotation is a digest of the versions of what the pod's sidecar reads, so that each change is told once, whoever is asked, and a pod that
 * was missed is found.
 */
export class Distribution {
  private readonly queue: SettledQueue;
  private signal = new AbortController().signal;

  constructor(
    private readonly api: ApiWriter,
    private readonly zones: readonly DistributedZone[],
    private readonly log: Log,
    private readonly events: DistributionEvents,
    options: DistributionOptions = {},
  ) {
    this.queue = new SettledQueue((key) => this.tell(key), {
      concurrency: CONCURRENCY,
      settle: options.settle ?? SETTLE,
      backoff: options.backoff ?? { first: 500, limit: 30_000 },
      failed: (key, error) => {
        this.events.failed(`sidecars of ${key}`, error);
      },
    });
  }

  /** Distributes until `signal` is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    this.signal = signal;
    for (const { pods } of this.zones) {
      // Whoever told them before may not have come to all of them.
      this.objectsChanged(pods.namespace, undefined);
    }
    await aborted(signal);
    await this.queue.stop();
  }

  /** A pod was seen: one that was listed after its objects changed, or began while they did, is told as well. */
  podSeen(namespace: string, name: string): void {
    const zone = this.zoneOf(namespace);
    const pod = zone?.pods.get(name);
    const service = pod?.labels[LABELS.name];
    if (
      zone !== undefined &&
      pod !== undefined &&
      service !== undefined &&
      isOutdated(pod, zone.objects.digest(service))
    ) {
      this.queue.add(`${namespace}/${service}`);
    }
  }

  /** What the sidecars of a service read has changed; of every service of the namespace where `service` is undefined. */
  objectsChanged(namespace: string, service: string | undefined): void {
    const all = this.zoneOf(namespace)?.pods.services() ?? [];
    for (const name of service === undefined ? all : [service]) {
      this.queue.add(`${namespace}/${name}`);
    }
  }

  private zoneOf(namespace: string): DistributedZone | undefined {
    return this.zones.find(({ pods }) => pods.namespace === namespace);
  }

  /** Tells the pods of one service that have not been told of what stands now. */
  private async tell(key: string): Promise<void> {
    const [namespace = "", service = ""] = key.split("/");
    const zone = this.zoneOf(namespace);
    const digest = zone?.objects.digest(service);
    if (zone === undefined || digest === undefined) {
      return;
    }
    for (const pod of zone.pods.of(service)) {
      if (isOutdated(pod, digest)) {
        await this.touch(namespace, pod, digest);
      }
    }
  }

  /** By way of the pod's status, where the right to do it gives none to change what the pod runs. */
  private async touch(namespace: string, pod: Pod, digest: string): Promise<void> {
    const path = `/api/v1/namespaces/${namespace}/pods/${encodeURIComponent(pod.name)}/status`;
    try {
      await this.api.patch(path, { metadata: { uid: pod.uid, annotations: { [DISTRIBUTED]: digest } } }, this.signal);
      this.log.info("sidecar told of changed files", { namespace, pod: pod.name });
    } catch (error) {
      // Gone, or replaced by another pod of its name: that one has read what stands now.
      if (!(error instanceof ApiError && (error.status === 404 || error.status === 409))) {
        throw error;
      }
    }
  }
}

/** Pods of a service that were not told of what their sidecars are to read now, by name; undefined where that is not known yet. */
export function untoldPods(pods: readonly Pod[], digest: string | undefined): readonly string[] | undefined {
  return digest === undefined ? undefined : pods.filter((pod) => isOutdated(pod, digest)).map(({ name }) => name);
}

function isOutdated(pod: Pod, digest: string | undefined): boolean {
  return digest !== undefined && !pod.terminating && !pod.finished && pod.distributed !== digest;
}
