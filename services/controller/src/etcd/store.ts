import { z } from "zod";
import { rangeEndOf } from "../../../../mesh/etcd.js";
import type { EtcdClient } from "./client.js";

/** A key with what stands under it. */
export interface KeyValue {
  readonly key: string;
  readonly value: string;
  /** The lease that it hangs on; `0`: none. */
  readonly lease: string;
}

/** A lease that is not there (any more). */
export const NO_LEASE = "0";

const ranges = z.object({
  kvs: z
    .array(z.object({ key: z.string(), value: z.string().default(""), lease: z.string().default(NO_LEASE) }))
    .default([]),
});
const grant = z.object({ ID: z.string() });
const timeToLive = z.object({ TTL: z.string().default("0"), grantedTTL: z.string().default("0") });
const keepAlive = z.object({ result: z.object({ TTL: z.string().default("0") }) });

/** etcd's keys and leases, in the name of one user. Keys and values are text. */
export class EtcdStore {
  constructor(
    private readonly client: EtcdClient,
    private readonly user: string,
  ) {}

  /** All keys below a prefix, as of one revision. */
  async below(prefix: string): Promise<KeyValue[]> {
    const { kvs } = ranges.parse(await this.ask("kv/range", rangeOf(prefix)));
    return kvs.map(({ key, value, lease }) => ({ key: decoded(key), value: decoded(value), lease }));
  }

  async put({ key, value, lease }: KeyValue): Promise<void> {
    await this.ask("kv/put", { key: encoded(key), value: encoded(value), lease });
  }

  async delete(key: string): Promise<void> {
    await this.ask("kv/deleterange", { key: encoded(key) });
  }

  async deleteBelow(prefix: string): Promise<void> {
    await this.ask("kv/deleterange", rangeOf(prefix));
  }

  /** A new lease. @param seconds that it lives without being renewed */
  async grantLease(seconds: number): Promise<string> {
    return grant.parse(await this.ask("lease/grant", { TTL: String(seconds), ID: NO_LEASE })).ID;
  }

  /** Whether a lease is there, and was given for so many seconds. */
  async hasLease(lease: string, seconds: number): Promise<boolean> {
    const { TTL, grantedTTL } = timeToLive.parse(await this.ask("lease/timetolive", { ID: lease }));
    return Number(TTL) > 0 && Number(grantedTTL) === seconds;
  }

  /** Renews a lease. @returns whether it was still there */
  async renewLease(lease: string): Promise<boolean> {
    const { result } = keepAlive.parse(await this.ask("lease/keepalive", { ID: lease }));
    return Number(result.TTL) > 0;
  }

  private ask(path: string, body: unknown): Promise<unknown> {
    return this.client.request(this.user, path, body);
  }
}

function rangeOf(prefix: string): { readonly key: string; readonly range_end: string } {
  return { key: encoded(prefix), range_end: encoded(rangeEndOf(prefix)) };
}

/** Bytes one by one, so that a key that is no text can be named, and deleted, all the same. */
function encoded(text: string): string {
  return Buffer.from(text, "latin1").toString("base64");
}

function decoded(base64: string): string {
  return Buffer.from(base64, "base64").toString("latin1");
}
