import { LABELS } from "../../../../mesh/wire.js";
import { parsePod, type Pod } from "../pod.js";
import { ApiError, type KubernetesApi } from "./api.js";
import { follow, type FollowOptions } from "./follow.js";

/** Selects the pods that the controller registers. */
const SELECTOR = `${LABELS.meshed}=true`;

/** Who is told of a store's changes. */
export interface PodEvents {
  /** The named pod appeared, changed, or is gone from the view. */
  readonly changed: (name: string) => void;
  readonly failed: (error: unknown) => void;
}

/** The meshed pods of one namespace, as the API server last told. */
export class PodStore {
  private pods = new Map<string, Pod>();
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

  /** Follows the namespace until `signal` is aborted. */
  follow(signal: AbortSignal): Promise<void> {
    return follow(
      this.api,
      { path: this.path(), labelSelector: SELECTOR },
      {
        replaced: (objects) => {
          this.replace(objects.map(parsePod));
        },
        changed: (object) => {
          const pod = parsePod(object);
          this.pods.set(pod.name, pod);
          this.events.changed(pod.name);
        },
        deleted: (object) => {
          const { name } = parsePod(object);
          this.pods.delete(name);
          this.events.changed(name);
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
    const before = this.pods;
    this.pods = new Map(pods.map((pod) => [pod.name, pod]));
    this.listed = true;
    this.trouble = undefined;
    for (const name of new Set([...before.keys(), ...this.pods.keys()])) {
      this.events.changed(name);
    }
  }

  private path(): string {
    return `/api/v1/namespaces/${this.namespace}/pods`;
  }
}
