import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { KubeConfig } from "@kubernetes/client-node";
import assert from "node:assert/strict";
import type { ApiObject } from "./objects.js";

interface Event {
  readonly type: string;
  readonly version: number;
  readonly object: ApiObject;
}

type Kind = "LIST" | "WATCH" | "GET" | "POST" | "PATCH";

/** Every collection is there, and empty where nothing was put into it. */
const COLLECTION = /^\/(api\/v1|apis\/[^/]+\/[^/]+)(\/namespaces\/[^/]+)?\/[^/]+$/;

/** What is told of an object: all of it, or its metadata. */
type Told = (object: ApiObject) => ApiObject;

interface Watch {
  readonly path: string;
  readonly isSelected: (object: ApiObject) => boolean;
  readonly told: Told;
  readonly response: ServerResponse;
}

/**
 * A small Kubernetes API on loopback: list (in pages), get, watch, create and merge patch (of one version, where it names it) of collections, and documents beside them, with the versions, the
 * errors and the broken connections of a real one. The real one is met by the integration tests.
 */
export class FakeKubernetes {
  /** Documents that are no objects, by their paths. */
  readonly documents = new Map<string, unknown>();
  /** Requests answered, as `LIST path`, `WATCH path`, `GET path`, `POST path` or `PATCH path`. */
  readonly requests: string[] = [];
  /** Called before each request; a status answers it with that, `hang` never answers. */
  intercept: (kind: Kind, path: string) => number | "hang" | undefined = () => undefined;
  /** Whether lists leave out what there is. */
  listsEmpty = false;
  /** Whether watches are open but tell nothing. */
  mute = false;
  private readonly server: Server;
  private readonly collections = new Map<string, Map<string, ApiObject>>();
  private readonly log: (Event & { path: string })[] = [];
  private readonly watches = new Set<Watch>();
  private readonly mediaTypes = new Map<string, string[]>();
  private version = 100;
  private oldest = 0;

  private constructor(private readonly pageSize: number) {
    this.server = createServer((request, response) => {
      this.answer(request, response);
    });
  }

  static async start(pageSize = 2): Promise<FakeKubernetes> {
    const fake = new FakeKubernetes(pageSize);
    await new Promise<void>((resolve) => fake.server.listen(0, "127.0.0.1", resolve));
    return fake;
  }

  get url(): string {
    const address = this.server.address();
    assert.ok(address !== null && typeof address === "object");
    return `http://127.0.0.1:${String(address.port)}`;
  }

  get openWatches(): number {
    return this.watches.size;
  }

  kubeConfig(): KubeConfig {
    const config = new KubeConfig();
    config.loadFromString(this.kubeconfigText());
    return config;
  }

  kubeconfigText(): string {
    return JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: "fake", cluster: { server: this.url, "insecure-skip-tls-verify": true } }],
      users: [{ name: "fake", user: { token: "fake" } }],
      contexts: [{ name: "fake", context: { cluster: "fake", user: "fake" } }],
      "current-context": "fake",
    });
  }

  /** Creates or changes an object. */
  put(path: string, object: ApiObject): void {
    const { name } = object.metadata;
    const objects = this.collection(path);
    this.emit(path, objects.has(name) ? "MODIFIED" : "ADDED", object, (stamped) => objects.set(name, stamped));
  }

  delete(path: string, name: string): void {
    const objects = this.collection(path);
    const object = objects.get(name);
    assert.ok(object !== undefined, `no ${name} in ${path}`);
    this.emit(path, "DELETED", object, () => objects.delete(name));
  }

  /** Forgets what happened until now: a watch from an older version is answered with 410. */
  compact(): void {
    this.oldest = this.version;
    this.log.length = 0;
  }

  /** Ends all watches: `end` as a server whose time is up, `break` in the middle of a line, `expire` with an event of 410. */
  endWatches(how: "end" | "break" | "expire"): void {
    for (const { response } of this.watches) {
      if (how === "break") {
        response.write('{"type":"ADDED","obj');
        response.socket?.destroy();
      } else if (how === "expire") {
        response.end(
          `${JSON.stringify({ type: "ERROR", object: { kind: "Status", code: 410, message: "too old" } })}\n`,
        );
      } else {
        response.end();
      }
    }
    this.watches.clear();
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private collection(path: string): Map<string, ApiObject> {
    const objects = this.collections.get(path) ?? new Map<string, ApiObject>();
    this.collections.set(path, objects);
    return objects;
  }

  private emit(path: string, type: string, object: ApiObject, store: (stamped: ApiObject) => void): void {
    this.version += 1;
    const stamped = { ...object, metadata: { ...object.metadata, resourceVersion: String(this.version) } };
    store(stamped);
    this.log.push({ path, type, version: this.version, object: stamped });
    for (const watch of this.watches) {
      if (watch.path === path && !this.mute && watch.isSelected(stamped)) {
        watch.response.write(`${JSON.stringify({ type, object: watch.told(stamped) })}\n`);
      }
    }
  }

  /** Media types that were asked for at a path. */
  accepted(path: string): readonly string[] {
    return this.mediaTypes.get(path) ?? [];
  }

  /** The present state of an object. */
  get(path: string, name: string): ApiObject | undefined {
    return this.collections.get(path)?.get(name);
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? "/", this.url);
    const isCollection = COLLECTION.test(url.pathname);
    const reading = !isCollection ? "GET" : url.searchParams.get("watch") === "true" ? "WATCH" : "LIST";
    const kind = request.method === "POST" || request.method === "PATCH" ? request.method : reading;
    const fault = this.intercept(kind, url.pathname);
    this.requests.push(`${kind} ${url.pathname}`);
    const accepted = this.mediaTypes.get(url.pathname) ?? [];
    accepted.push(request.headers.accept ?? "");
    this.mediaTypes.set(url.pathname, accepted);
    if (fault === "hang") {
      return;
    }
    if (fault !== undefined) {
      send(response, fault, { kind: "Status", code: fault, message: `fault ${String(fault)}` });
    } else if (kind === "LIST") {
      this.list(url, toldOf(request), response);
    } else if (kind === "WATCH") {
      this.watch(url, toldOf(request), response);
    } else if (kind === "POST" || kind === "PATCH") {
      let body = "";
      request.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
      request.on("end", () => {
        this.write(kind, url.pathname, JSON.parse(body) as ApiObject, response);
      });
    } else {
      const cut = url.pathname.lastIndexOf("/");
      const found =
        this.documents.get(url.pathname) ?? this.get(url.pathname.slice(0, cut), url.pathname.slice(cut + 1));
      send(response, found === undefined ? 404 : 200, found ?? { kind: "Status", code: 404, message: "not found" });
    }
  }

  /** Creates an object (409 where it is) or merges a patch into one (404 where it is not); a subresource's patch is the object's. */
  private write(kind: "POST" | "PATCH", path: string, body: ApiObject, response: ServerResponse): void {
    const [, collection = "", patched = ""] =
      /^(.*\/(?:pods|configmaps|secrets|leases|meshservices))\/([^/]+)(?:\/status)?$/.exec(path) ?? [];
    const place = kind === "POST" ? path : collection;
    const name = kind === "POST" ? body.metadata.name : patched;
    const present = this.get(place, name);
    if ((kind === "POST") === (present !== undefined)) {
      const code = kind === "POST" ? 409 : 404;
      send(response, code, { kind: "Status", code, message: kind === "POST" ? "already exists" : "not found" });
      return;
    }
    const { resourceVersion } = (body as Partial<ApiObject>).metadata ?? {};
    if (resourceVersion !== undefined && resourceVersion !== present?.metadata.resourceVersion) {
      send(response, 409, { kind: "Status", code: 409, message: "the object has been modified" });
      return;
    }
    const object = kind === "POST" ? body : (merge(present, body) as ApiObject);
    this.put(place, object);
    send(response, kind === "POST" ? 201 : 200, this.get(place, name));
  }

  private list(url: URL, told: Told, response: ServerResponse): void {
    const isSelected = selection(url);
    const all = this.listsEmpty ? [] : [...this.collection(url.pathname).values()].filter(isSelected);
    const from = Number(url.searchParams.get("continue") ?? "0");
    const next = from + Math.min(this.pageSize, Number(url.searchParams.get("limit") ?? this.pageSize));
    send(response, 200, {
      kind: "PodList",
      metadata: {
        resourceVersion: String(this.version),
        ...(next < all.length ? { continue: String(next) } : {}),
      },
      items: all.slice(from, next).map(told),
    });
  }

  private watch(url: URL, told: Told, response: ServerResponse): void {
    const since = Number(url.searchParams.get("resourceVersion"));
    if (since < this.oldest) {
      send(response, 410, { kind: "Status", code: 410, message: "too old resource version" });
      return;
    }
    response.writeHead(200, { "Content-Type": "application/json" });
    response.flushHeaders();
    const isSelected = selection(url);
    for (const { path, type, version, object } of this.mute ? [] : this.log) {
      if (path === url.pathname && version > since && isSelected(object)) {
        response.write(`${JSON.stringify({ type, object: told(object) })}\n`);
      }
    }
    const watch = { path: url.pathname, isSelected, told, response };
    this.watches.add(watch);
    response.once("close", () => this.watches.delete(watch));
  }
}

function toldOf({ headers }: IncomingMessage): Told {
  const isMetadata = headers.accept?.includes("as=PartialObjectMetadata") === true;
  return isMetadata ? ({ metadata }) => ({ metadata }) : (object) => object;
}

/** What a request's label selector selects: `<label>`, which is there, or `<label>=<value>`. */
function selection(url: URL): (object: ApiObject) => boolean {
  const selector = url.searchParams.get("labelSelector");
  if (selector === null) return () => true;
  const [label = "", value] = selector.split("=");
  return ({ metadata }) => {
    const found = (metadata as { readonly labels?: Readonly<Record<string, string>> }).labels?.[label];
    return value === undefined ? found !== undefined : found === value;
  };
}

/** A JSON merge patch (RFC 7396). */
function merge(target: unknown, patch: unknown): unknown {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) {
    return patch;
  }
  const result: Record<string, unknown> = { ...(typeof target === "object" ? target : {}) };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) {
      Reflect.deleteProperty(result, key);
    } else {
      result[key] = merge(result[key], value);
    }
  }
  return result;
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "Content-Type": "application/json" });
  response.end(JSON.stringify(body));
}
