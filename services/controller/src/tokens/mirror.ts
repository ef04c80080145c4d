import { z } from "zod";
import { renderTokens } from "../../../../envoy/identity/token-keys.js";
import { IDENTITY_TOKEN, LABELS, PART_OF } from "../../../../mesh/wire.js";
import { backoff, pause, type BackoffBounds } from "../backoff.js";
import type { ZoneBinding } from "../config.js";
import type { ApiWriter } from "../election/fence.js";
import { ApiError } from "../kubernetes/api.js";
import type { Log } from "../log.js";
import { readIssuer } from "./issuer.js";

/** Milliseconds between two looks at the API server's keys. */
const INTERVAL = 15_000;

const configMapSchema = z.object({ data: z.record(z.string(), z.string()).optional() });

/** Who is told what the mirror did. */
export interface MirrorEvents {
  readonly failed: (where: string, error: unknown) => void;
}

/** Timing, changed in tests. */
export interface MirrorOptions {
  readonly interval?: number;
  readonly backoff?: BackoffBounds;
}

/**
 * Keeps ConfigMap `mesh-tokens` of every zone's namespace equal to what the API server says of its service-account tokens: their issuer and its public keys,
 * as sidecars read them. The controller alone owns these ConfigMaps. While the API server can't be asked, or says nothing usable, they stay as they are.
 */
export class KeyMirror {
  private written = new Set<string>();

  constructor(
    private readonly api: ApiWriter,
    private readonly zones: readonly ZoneBinding[],
    private readonly log: Log,
    private readonly events: MirrorEvents,
    private readonly options: MirrorOptions = {},
  ) {}

  /** Namespaces whose ConfigMap was never brought up to date. */
  get missing(): string[] {
    return this.zones.map(({ namespace }) => namespace).filter((namespace) => !this.written.has(namespace));
  }

  /** Mirrors until `signal` is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { interval = INTERVAL, backoff: bounds = { first: 500, limit: interval } } = this.options;
    let failures = 0;
    while (!signal.aborted) {
      failures = (await this.mirror(signal)) ? 0 : failures + 1;
      await pause(failures > 0 ? backoff(bounds, failures - 1) : interval, signal);
    }
  }

  /** Brings every namespace up to date; false where one could not be. */
  private async mirror(signal: AbortSignal): Promise<boolean> {
    let text: string;
    try {
      text = renderTokens(await readIssuer(this.api, signal));
    } catch (error) {
      this.fail("token keys", error, signal);
      return false;
    }
    const results = await Promise.all(
      this.zones.map(async ({ namespace }) => {
        try {
          await this.write(namespace, text, signal);
          this.written.add(namespace);
          return true;
        } catch (error) {
          this.fail(`token keys of ${namespace}`, error, signal);
          return false;
        }
      }),
    );
    return results.every((done) => done);
  }

  private async write(namespace: string, text: string, signal: AbortSignal): Promise<void> {
    const { keysConfigMap: name, keysFile: file } = IDENTITY_TOKEN;
    const collection = `/api/v1/namespaces/${namespace}/configmaps`;
    const present = await this.read(`${collection}/${name}`, signal);
    if (present === undefined) {
      const metadata = {
        name,
        namespace,
        labels: { [LABELS.name]: name, [LABELS.partOf]: PART_OF, [LABELS.managedBy]: "mesh-controller" },
      };
      const object = { apiVersion: "v1", kind: "ConfigMap", metadata, data: { [file]: text } };
      await this.api.create(collection, object, signal);
    } else if (present[file] !== text || Object.keys(present).length !== 1) {
      // What else somebody put there would come into every sidecar's volume.
      const others = Object.keys(present).filter((key) => key !== file);
      const data = { [file]: text, ...Object.fromEntries(others.map((key) => [key, null])) };
      await this.api.patch(`${collection}/${name}`, { data }, signal);
    } else {
      return;
    }
    this.log.info("token keys mirrored", { namespace });
  }

  private async read(path: string, signal: AbortSignal): Promise<Record<string, string> | undefined> {
    try {
      return configMapSchema.parse(await this.api.get(path, signal)).data ?? {};
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) {
        return undefined;
      }
      throw error;
    }
  }

  private fail(where: string, error: unknown, signal: AbortSignal): void {
    if (!signal.aborted) {
      this.events.failed(where, error);
    }
  }
}
