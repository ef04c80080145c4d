import type { ZoneName } from "../../../../mesh/model.js";
import type { AccessControl } from "./access.js";
import type { Registration } from "./registration.js";

/** What is known of a pod in the registry; `unknown` after a write whose outcome was not seen. */
export type Actual<Entry extends object = object> = Entry | "unknown" | undefined;

/** One write to the registry. All of them may be repeated without harm. */
export interface Step<Entry extends object = object> {
  /** `register`, `deregister`, or another of the backend's own; a metric counts them by it. */
  readonly kind: string;
  /** What has happened once it is carried out, for the log. */
  readonly done: string;
  /** What the registry then holds of the pod: an entry, or none; `unread` where only the next reading tells. */
  readonly after: { readonly entry: Entry | undefined } | "unread";
  /** @throws where it is not known to have happened */
  readonly carryOut: () => Promise<void>;
}

/**
 * Where the instances of each zone stand, that are resolved: what a discovery backend is to the controller. Each zone is written in its own name, with no right to
 * another's.
 *
 * @typeParam Entry what the backend holds of one pod
 */
export interface Registry<Entry extends object = object> {
  /** What it is called where people read: `Consul`. */
  readonly title: string;
  /** When it last answered with success; milliseconds since 1970. */
  readonly lastSuccess: number | undefined;
  /** Who may do what there, where that is compared with what was declared. */
  readonly access?: AccessControl;
  /**
   * All that stands there for a zone, by pod.
   *
   * @throws where any part could not be read: half a registry is never returned
   */
  read(zone: ZoneName): Promise<ReadonlyMap<string, Entry>>;
  /** What makes the registry right for one pod; nothing where it is. No clock, no network. */
  steps(zone: ZoneName, pod: string, desired: Registration | undefined, actual: Actual<Entry>): readonly Step<Entry>[];
  /** Does what has to be done without a change too, until it is stopped. */
  run(signal: AbortSignal): Promise<void>;
  /** Breaks off what is under way, and takes no more. */
  close(): void;
}

/** What a registry is opened with. */
export interface RegistryOptions {
  /** Zones that are kept. */
  readonly zones: readonly ZoneName[];
  /** Seconds that an entry is believed without a sign of life, where the backend lets entries end by themselves. */
  readonly ttl: number;
  readonly observe: RequestObserver;
  /** Told of what failed outside of `read` and of steps; it is tried again. */
  readonly failed: (where: string, error: unknown) => void;
}

/** Told in whose name each request was (`none`: in no zone's), how long it took and how it ended: the backend's status, or `error` where no answer came. */
export type RequestObserver<Name extends string = ZoneName> = (
  name: Name | "none",
  seconds: number,
  outcome: string,
) => void;
