import { createHash } from "node:crypto";
import { z } from "zod";
import { IDENTITY_TOKEN } from "../../../../mesh/wire.js";
import type { KubernetesApi } from "../kubernetes/api.js";
import { follow, type FollowOptions } from "../kubernetes/follow.js";

const schema = z.object({ metadata: z.object({ name: z.string().min(1), resourceVersion: z.string().min(1) }) });
/** ConfigMaps of one sidecar end like this. */
const SUFFIXES = ["-envoy", "-trust"] as const;

/** Who is told of changes. */
export interface ObjectEvents {
  /** What the sidecars of one service read has changed; of every service of the namespace where `service` is undefined. */
  readonly changed: (service: string | undefined) => void;
  readonly failed: (error: unknown) => void;
}

/** The ConfigMaps that the sidecars of one namespace read, by their versions alone: what they hold never comes here. */
export class SidecarObjects {
  private versions = new Map<string, string>();
  private listed = false;

  constructor(
    private readonly api: KubernetesApi,
    readonly namespace: string,
    private readonly events: ObjectEvents,
    private readonly options: FollowOptions = {},
  ) {}

  /** A digest of what the sidecars of a service read now; undefined until everything was listed once. */
  digest(service: string): string | undefined {
    if (!this.listed) {
      return undefined;
    }
    const names = [...SUFFIXES.map((suffix) => service + suffix), IDENTITY_TOKEN.keysConfigMap];
    const text = names.map((name) => `${name}=${this.versions.get(name) ?? ""}`).join();
    return createHash("sha256").update(text).digest("hex").slice(0, 16);
  }

  /** Follows the namespace until `signal` is aborted. */
  follow(signal: AbortSignal): Promise<void> {
    const collection = { path: `/api/v1/namespaces/${this.namespace}/configmaps`, metadataOnly: true };
    return follow(
      this.api,
      collection,
      {
        replaced: (objects) => {
          this.versions = new Map(objects.map(parse));
          this.listed = true;
          this.events.changed(undefined);
        },
        changed: (object) => {
          const [name, version] = parse(object);
          this.versions.set(name, version);
          this.tell(name);
        },
        deleted: (object) => {
          const [name] = parse(object);
          this.versions.delete(name);
          this.tell(name);
        },
        failed: this.events.failed,
      },
      signal,
      this.options,
    );
  }

  private tell(name: string): void {
    const suffix = SUFFIXES.find((candidate) => name.endsWith(candidate));
    if (name === IDENTITY_TOKEN.keysConfigMap) {
      this.events.changed(undefined);
    } else if (suffix !== undefined) {
      this.events.changed(name.slice(0, -suffix.length));
    }
  }
}

function parse(object: unknown): [name: string, version: string] {
  const { metadata } = schema.parse(object);
  return [metadata.name, metadata.resourceVersion];
}
