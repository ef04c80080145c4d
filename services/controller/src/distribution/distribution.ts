import { LABELS } from "../../../../mesh/wire.js";
import type { BackoffBounds } from "../backoff.js";
import { ApiError, type KubernetesApi } from "../kubernetes/api.js";
import type { FollowOptions } from "../kubernetes/follow.js";
import type { PodStore } from "../kubernetes/pods.js";
import type { Log } from "../log.js";
import { DISTRIBUTED, type Pod } from "../pod.js";
import { KeyedQueue } from "../queue.js";
import { SidecarObjects } from "./objects.js";

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

/** Timing, changed in tests. */
export interface DistributionOptions {
  readonly settle?: number;
  readonly backoff?: BackoffBounds;
  readonly follow?: FollowOptions;
}

/**
 * Has kubelet bring changed configuration, trust and token keys to the sidecars at once. By itself it looks every 60 to 90 s; a changed annotation of a pod makes
 * it look now. The annotation is a digest of the versions of what the pod's sidecar reads, so that each change is told once, whoever is asked, and a pod that
 * was missed is found.
 */
export class Distribution {
  private readonly objects: readonly { readonly pods: PodStore; readonly objects: SidecarObjects }[];
  private readonly queue: KeyedQueue;
  private readonly waiting = new Map<string, NodeJS.Timeout>();
  private signal = new AbortController().signal;

  constructor(
    private readonly api: KubernetesApi,
    stores: readonly PodStore[],
    private readonly log: Log,
    private readonly events: DistributionEvents,
    private readonly options: DistributionOptions = {},
  ) {
    this.queue = new KeyedQueue((key) => this.tell(key), {
      concurrency: CONCURRENCY,
      backoff: options.backoff ?? { first: 500, limit: 30_000 },
      failed: (key, error) => {
        this.events.failed(`sidecars of ${key}`, error);
      },
    });
    this.objects = stores.map((pods) => {
      const changed = (service: string | undefined): void => {
        this.changed(pods, service);
      };
      const failed = (error: unknown): void => {
        this.events.failed(`sidecars' objects of ${pods.namespace}`, error);
      };
      return { pods, objects: new SidecarObjects(api, pods.namespace, { changed, failed }, options.follow) };
    });
  }

  /** Distributes until `signal` is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    this.signal = signal;
    await Promise.all(this.objects.map(({ objects }) => objects.follow(signal)));
    this.waiting.forEach((timer) => {
      clearTimeout(timer);
    });
    await this.queue.stop();
  }

  /** A pod was seen: one that was listed after its objects changed, or began while they did, is told as well. */
  podSeen(namespace: string, name: string): void {
    const zone = this.objects.find(({ pods }) => pods.namespace === namespace);
    const pod = zone?.pods.get(name);
    const service = pod?.labels[LABELS.name];
    if (
      zone !== undefined &&
      pod !== undefined &&
      service !== undefined &&
      isOutdated(pod, zone.objects.digest(service))
    ) {
      this.settle(`${namespace}/${service}`);
    }
  }

  private changed(pods: PodStore, service: string | undefined): void {
    const names = service === undefined ? [...pods.all()].map((pod) => pod.labels[LABELS.name]) : [service];
    for (const name of new Set(names)) {
      if (name !== undefined) {
        this.settle(`${pods.namespace}/${name}`);
      }
    }
  }

  private settle(key: string): void {
    if (!this.waiting.has(key)) {
      const timer = setTimeout(() => {
        this.waiting.delete(key);
        this.queue.add(key);
      }, this.options.settle ?? SETTLE);
      this.waiting.set(key, timer);
    }
  }

  /** Tells the pods of one service that have not been told of what stands now. */
  private async tell(key: string): Promise<void> {
    const [namespace = "", service = ""] = key.split("/");
    const zone = this.objects.find(({ pods }) => pods.namespace === namespace);
    const digest = zone?.objects.digest(service);
    if (zone === undefined || digest === undefined) {
      return;
    }
    for (const pod of zone.pods.all()) {
      if (pod.labels[LABELS.name] === service && isOutdated(pod, digest)) {
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

function isOutdated(pod: Pod, digest: string | undefined): boolean {
  return digest !== undefined && !pod.terminating && !pod.finished && pod.distributed !== digest;
}
