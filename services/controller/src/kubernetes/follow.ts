import { z } from "zod";
import { backoff, pause, type BackoffBounds } from "../backoff.js";
import { ApiError, type KubernetesApi } from "./api.js";

/** Objects a list request returns at most at a time. */
const PAGE = 500;
/** Seconds after which the server is asked to end a watch; the next goes on where it ended. */
const WATCH_SECONDS = 40;
/**
 * Milliseconds of silence after which a watch's connection is taken for dead: the server would have ended it by now. Below the
 * default time to live of a registration, so that a connection that died without a word hides no deletion for longer.
 */
const WATCH_IDLE = 50_000;
/** A watch that ends sooner than this (milliseconds) is not begun again at once. */
const SHORTEST_WATCH = 1_000;

const listSchema = z.object({
  kind: z.string().regex(/List$/),
  metadata: z.object({ resourceVersion: z.string().min(1), continue: z.string().optional() }),
  items: z.array(z.unknown()),
});
const eventSchema = z.object({ type: z.string(), object: z.unknown() });
const versionSchema = z.object({ metadata: z.object({ resourceVersion: z.string().min(1) }) });
const statusSchema = z.object({ code: z.number().optional(), message: z.string().optional() });

/** Objects of one kind in one namespace. */
export interface Collection {
  /** `/api/v1/namespaces/<namespace>/pods` or the like. */
  readonly path: string;
  readonly labelSelector?: string;
  /** Objects come without what they hold: only their metadata. */
  readonly metadataOnly?: boolean;
  /** Objects of a page of the list. Default: {@link PAGE}. */
  readonly page?: number;
}

/** Who is told of a collection's changes. Exceptions count as a broken watch: the collection is listed again. */
export interface Follower<T> {
  /** What is taken from an object as the API server tells it. Of a long list no more is held at a time than that, and one page. */
  readonly read: (object: unknown) => T;
  /** All objects there are; what is not among them is gone. Never called for a list that failed or came incomplete. */
  readonly replaced: (objects: readonly T[]) => void;
  readonly changed: (object: T) => void;
  readonly deleted: (object: T) => void;
  /** The view is broken and what is known may be old, until `replaced` is called again. */
  readonly failed: (error: unknown) => void;
}

/** Timing, changed in tests. */
export interface FollowOptions {
  readonly backoff?: BackoffBounds;
  readonly watchIdle?: number;
}

/**
 * Follows a collection until `signal` is aborted: list, then watch from the list's version on. An end that the server announces
 * resumes the watch where it was; any error, an expired version (410) among them, begins again with a list, so that no deletion is missed.
 */
export async function follow<T>(
  api: KubernetesApi,
  collection: Collection,
  follower: Follower<T>,
  signal: AbortSignal,
  options: FollowOptions = {},
): Promise<void> {
  const bounds = options.backoff ?? { first: 500, limit: 30_000 };
  let failures = 0;
  const stopped = (): boolean => signal.aborted;
  while (!stopped()) {
    try {
      const { objects, version } = await list(api, collection, follower.read, signal);
      follower.replaced(objects);
      await watchOn(api, collection, follower, version, signal, options, () => (failures = 0));
    } catch (error) {
      if (stopped()) {
        return;
      }
      // An expired version is no failure of the server's: only the next list can tell.
      if (!isExpired(error)) {
        follower.failed(error);
      }
      await pause(backoff(bounds, failures), signal);
      failures += 1;
    }
  }
}

/** A complete list, page by page, of one version. */
async function list<T>(
  api: KubernetesApi,
  { path, labelSelector, metadataOnly, page: size = PAGE }: Collection,
  read: (object: unknown) => T,
  signal: AbortSignal,
): Promise<{ objects: T[]; version: string }> {
  const objects: T[] = [];
  let token: string | undefined;
  for (;;) {
    const query = new URLSearchParams({
      limit: String(size),
      ...(labelSelector === undefined ? {} : { labelSelector }),
      ...(token === undefined ? {} : { continue: token }),
    });
    const page = listSchema.parse(
      await api.get(`${path}?${query.toString()}`, signal, accept(metadataOnly, "PartialObjectMetadataList")),
    );
    objects.push(...page.items.map(read));
    token = page.metadata.continue;
    if (token === undefined || token === "") {
      return { objects, version: page.metadata.resourceVersion };
    }
  }
}

/** Watches from `version` on, one request after the other, until one of them fails. */
async function watchOn<T>(
  api: KubernetesApi,
  { path, labelSelector, metadataOnly }: Collection,
  follower: Follower<T>,
  version: string,
  signal: AbortSignal,
  options: FollowOptions,
  alive: () => void,
): Promise<void> {
  let resourceVersion = version;
  while (!signal.aborted) {
    const query = new URLSearchParams({
      watch: "true",
      resourceVersion,
      allowWatchBookmarks: "true",
      timeoutSeconds: String(WATCH_SECONDS),
      ...(labelSelector === undefined ? {} : { labelSelector }),
    });
    const start = performance.now();
    await api.lines(
      `${path}?${query.toString()}`,
      options.watchIdle ?? WATCH_IDLE,
      signal,
      (line) => {
        const { type, object } = eventSchema.parse(JSON.parse(line));
        if (type === "ERROR") {
          const { code, message } = statusSchema.parse(object);
          throw new ApiError(code ?? 0, `the watch of ${path} ended: ${message ?? "no reason given"}`);
        }
        resourceVersion = versionSchema.parse(object).metadata.resourceVersion;
        if (type === "ADDED" || type === "MODIFIED") {
          follower.changed(follower.read(object));
        } else if (type === "DELETED") {
          follower.deleted(follower.read(object));
        }
        alive();
      },
      accept(metadataOnly, "PartialObjectMetadata"),
    );
    if (performance.now() - start < SHORTEST_WATCH) {
      await pause(SHORTEST_WATCH, signal);
    } else {
      alive();
    }
  }
}

function accept(metadataOnly: boolean | undefined, kind: string): string | undefined {
  return metadataOnly === true ? `application/json;as=${kind};g=meta.k8s.io;v=v1` : undefined;
}

function isExpired(error: unknown): boolean {
  return error instanceof ApiError && error.status === 410;
}
