import { z } from "zod";
import { ApiError, type KubernetesApi } from "../kubernetes/api.js";

const schema = z.object({
  metadata: z.object({ resourceVersion: z.string().min(1) }),
  spec: z
    .object({
      holderIdentity: z.string().nullish(),
      leaseDurationSeconds: z.number().nullish(),
      leaseTransitions: z.number().nullish(),
    })
    .nullish(),
});

/** A Lease as it was read. */
export interface LeaseRecord {
  /** Changes with every write, a renewal too. */
  readonly version: string;
  /** Who holds it; undefined where nobody does. */
  readonly holder: string | undefined;
  /** Milliseconds that its holder may leave it unrenewed. */
  readonly duration: number;
  /** How often it went from one to another. */
  readonly transitions: number;
}

/** What is written into a Lease; what is not named stays. */
export interface LeaseChange {
  readonly holder: string | undefined;
  /** Seconds. */
  readonly seconds: number;
  /** Whether it goes to this holder now. */
  readonly acquired?: { readonly transitions: number };
}

/** Somebody else wrote the Lease since it was read. */
export class LeaseConflict extends Error {
  override readonly name = "LeaseConflict";
}

/** One Lease (`coordination.k8s.io/v1`) of the API server. Each write is of what was read: a change in between makes it fail. */
export class Lease {
  private readonly collection: string;

  constructor(
    private readonly api: Pick<KubernetesApi, "get" | "create" | "patch">,
    private readonly namespace: string,
    private readonly name: string,
  ) {
    this.collection = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
  }

  /** @returns undefined where there is none */
  async read(signal: AbortSignal): Promise<LeaseRecord | undefined> {
    try {
      return recordOf(await this.api.get(`${this.collection}/${this.name}`, signal));
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) {
        return undefined;
      }
      throw error;
    }
  }

  /** @throws LeaseConflict where somebody else made it */
  async create(change: LeaseChange, signal: AbortSignal): Promise<LeaseRecord> {
    const metadata = { name: this.name, namespace: this.namespace };
    const object = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata, spec: specOf(change) };
    return this.written(() => this.api.create(this.collection, object, signal));
  }

  /** @throws LeaseConflict where it is not what was read any more, or gone */
  async write(read: LeaseRecord, change: LeaseChange, signal: AbortSignal): Promise<LeaseRecord> {
    const fields = { metadata: { resourceVersion: read.version }, spec: specOf(change) };
    return this.written(() => this.api.patch(`${this.collection}/${this.name}`, fields, signal));
  }

  private async written(write: () => Promise<unknown>): Promise<LeaseRecord> {
    try {
      return recordOf(await write());
    } catch (error) {
      if (error instanceof ApiError && (error.status === 409 || error.status === 404)) {
        throw new LeaseConflict(`Lease ${this.namespace}/${this.name} was written by another`, { cause: error });
      }
      throw error;
    }
  }
}

function recordOf(object: unknown): LeaseRecord {
  const { metadata, spec } = schema.parse(object);
  const holder = spec?.holderIdentity;
  return {
    version: metadata.resourceVersion,
    holder: holder === undefined || holder === null || holder === "" ? undefined : holder,
    duration: (spec?.leaseDurationSeconds ?? 0) * 1000,
    transitions: spec?.leaseTransitions ?? 0,
  };
}

/** The times are for people: nobody compares them, for they are of different clocks. */
function specOf({ holder, seconds, acquired }: LeaseChange): object {
  const now = microTime(new Date());
  return {
    holderIdentity: holder ?? null,
    leaseDurationSeconds: seconds,
    renewTime: now,
    ...(acquired === undefined ? {} : { acquireTime: now, leaseTransitions: acquired.transitions }),
  };
}

/** `metav1.MicroTime`, which has six digits of a second. */
function microTime(time: Date): string {
  return time.toISOString().replace("Z", "000Z");
}
