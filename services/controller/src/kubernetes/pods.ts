import { LABELS } from "../../../../mesh/wire.js";
import { parsePod, type Pod } from "../pod.js";
import { ApiError, type KubernetesApi } from "./api.js";
import { follow, type FollowOptions } from "./follow.js";

/** Selects the pods that the controller registers. */
const SELECTOR = `${LABELS.meshed}=true`;

/** Who is told of a store's changes. */
export interface PodEvents {
  /** The named pod appeared, changed, or is gone from the view. `services` are those whose name it bears, or bore before. */
  readonly changed: (name: string, services: ReadonlySet<string>) => void;
  readonly failed: (error: unknown) => void;
}

/** The meshed pods of one namespace, as the API server last told. */
export class PodStore {
  private pods = new Map<string, Pod>();
  /** Names of pods by the service whose name they bear. */
  private byService = new Map<string, Set<string>>();
  private listed = false;
  /** Why the view is broken at the moment. */
  private trouble: unknown;

  constructor(
    private readonly api: KubernetesApi,
    readonly namespace: string,
    private readonly events: PodEvents,
    private readonly options: FollowOptions = {},
  ) {}

  /** Whether a complete list was ever seen; before, nothing can be concluded from a pod that is missing. */
  get synced(): boolean {
    return this.listed;
  }

  /** The error that keeps the view from being up to date; undefined while it is. */
  get error(): unknown {
    return this.trouble;
  }

  get(name: string): Pod | undefined {
    return this.pods.get(name);
  }

  all(): Iterable<Pod> {
    return this.pods.values();
  }

  /** Pods that bear the name of a service. */
  *of(service: string): Iterable<Pod> {
    for (const name of this.byService.get(service) ?? []) {
      const pod = this.pods.get(name);
      if (pod !== undefined) {
        yield pod;
      }
    }
  }

  /** Services whose name some pod bears. */
  services(): Iterable<string> {
    return this.byService.keys();
  }

  /** Follows the namespace until `signal` is aborted. */
  follow(signal: AbortSignal): Promise<void> {
    return follow(
      this.api,
      { path: this.path(), labelSelector: SELECTOR },
      {
        read: parsePod,
        replaced: (pods) => {
          this.replace(pods);
        },
        changed: (pod) => {
          this.put(pod.name, pod);
        },
        deleted: ({ name }) => {
          this.put(name, undefined);
        },
        failed: (error) => {
          this.trouble = error;
          this.events.failed(error);
        },
      },
      signal,
      this.options,
    );
  }

  /**
   * Asks the API server for one pod, past the store.
   *
   * @returns undefined where the server says that there is none
   * @throws where it says anything else, or nothing: that is no proof of absence
   */
  async read(name: string, signal: AbortSignal): Promise<Pod | undefined> {
    try {
      return parsePod(await this.api.get(`${this.path()}/${encodeURIComponent(name)}`, signal));
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) {
        return undefined;
      }
      throw error;
    }
  }

  private replace(pods: readonly Pod[]): void {
    const present = new Map(pods.map((pod) => [pod.name, pod]));
    this.listed = true;
    this.trouble = undefined;
    for (const name of new Set([...this.pods.keys(), ...present.keys()])) {
      this.put(name, present.get(name));
    }
  }

  /** Takes a pod as it is now; undefined: it is gone. */
  private put(name: string, pod: Pod | undefined): void {
    const services = new Set<string>();
    const before = this.pods.get(name)?.labels[LABELS.name];
    if (before !== undefined) {
      services.add(before);
      const others = this.byService.get(before);
      others?.delete(name);
      if (others?.size === 0) {
        this.byService.delete(before);
      }
    }
    const now = pod?.labels[LABELS.name];
    if (now !== undefined) {
      services.add(now);
      const others = this.byService.get(now) ?? new Set();
      this.byService.set(now, others.add(name));
    }
    if (pod === undefined) {
      this.pods.delete(name);
    } else {
      this.pods.set(name, pod);
    }
    this.events.changed(name, services);
  }

  private path(): string {
    return `/api/v1/namespaces/${this.namespace}/pods`;
  }
}
