import { z } from "zod";
import { etcdRegistrarOf, ETCD_ROOT } from "../../../../mesh/etcd.js";
import type { ZoneName } from "../../../../mesh/model.js";
import { pause } from "../backoff.js";
import type { Registration } from "../registry/registration.js";
import type { Actual, Registry, RegistryOptions, Step } from "../registry/registry.js";
import { EtcdClient } from "./client.js";
import { podOfKey, type EtcdEntry } from "./entry.js";
import { ZoneLease } from "./lease.js";
import { planPod, type Write } from "./plan.js";
import type { EtcdConnection } from "./settings.js";
import { EtcdStore, type KeyValue } from "./store.js";

/** Renewals of a lease in its life: all but one may fail. */
const RENEWALS = 6;

const role = z.object({
  perm: z.array(z.object({ permType: z.string().default("READ"), key: z.string().default("") })).default([]),
});

interface ZoneOfEtcd {
  readonly store: EtcdStore;
  readonly lease: ZoneLease;
}

/** etcd as a registry: each ready pod is one key, in the form in which CoreDNS answers from it, under a lease that this keeps alive. */
export class EtcdRegistry implements Registry<EtcdEntry> {
  readonly title = "etcd";
  private readonly client: EtcdClient;
  private readonly zones = new Map<ZoneName, ZoneOfEtcd>();

  constructor(
    settings: EtcdConnection,
    private readonly options: RegistryOptions,
  ) {
    const byUser = new Map(options.zones.map((zone) => [etcdRegistrarOf(zone), zone]));
    this.client = new EtcdClient(settings, (user, seconds, outcome) => {
      const zone = byUser.get(user);
      if (zone !== undefined) {
        options.observe(zone, seconds, outcome);
      }
    });
    for (const [user, zone] of byUser) {
      const store = new EtcdStore(this.client, user);
      this.zones.set(zone, { store, lease: new ZoneLease(store, options.ttl) });
    }
  }

  get lastSuccess(): number | undefined {
    return this.client.lastSuccess;
  }

  /** What stands below the names that the zone's user may write, whoever wrote it. */
  async read(zone: ZoneName): Promise<ReadonlyMap<string, EtcdEntry>> {
    const { store, lease } = this.zone(zone);
    const prefixes = await this.written(zone);
    const records = (await store.below(ETCD_ROOT)).filter(({ key }) =>
      prefixes.some((prefix) => key.startsWith(prefix)),
    );
    await lease.ensure(records.map((record) => record.lease));
    const entries = new Map<string, KeyValue[]>();
    for (const record of records) {
      const pod = podOfKey(record.key);
      entries.set(pod, [...(entries.get(pod) ?? []), record]);
    }
    return new Map([...entries].map(([pod, own]) => [pod, { records: own }]));
  }

  steps(zone: ZoneName, pod: string, desired: Registration | undefined, actual: Actual<EtcdEntry>): Step<EtcdEntry>[] {
    const { store, lease } = this.zone(zone);
    if (actual === "unknown" && desired?.ready !== true) {
      const carryOut = (): Promise<void> => this.sweep(zone, pod);
      return [{ kind: "deregister", done: DONE.deregister, after: { entry: undefined }, carryOut }];
    }
    return planPod(desired, actual, lease.id).map((write) => ({
      kind: write.kind,
      done: DONE[write.kind],
      after: afterwards(write),
      carryOut: async () => {
        if (write.kind === "register") {
          await store.put({ ...write.record, lease: await lease.held() });
        } else {
          await store.delete(write.key);
        }
      },
    }));
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([...this.zones].map(([zone, { lease }]) => this.keepAlive(zone, lease, signal)));
  }

  close(): void {
    this.client.close();
  }

  /** Takes away whatever stands for a pod, where it is not known what that is. */
  private async sweep(zone: ZoneName, pod: string): Promise<void> {
    for (const { key } of (await this.read(zone)).get(pod)?.records ?? []) {
      await this.zone(zone).store.delete(key);
    }
  }

  private async keepAlive(zone: ZoneName, lease: ZoneLease, signal: AbortSignal): Promise<void> {
    const interval = (this.options.ttl * 1000) / RENEWALS;
    for (;;) {
      await pause(interval, signal);
      if (signal.aborted) {
        return;
      }
      try {
        await lease.renew();
      } catch (error) {
        this.options.failed(`lease of zone ${zone}`, error);
      }
    }
  }

  /** Prefixes of the keys that the zone's user may write, as etcd has them. */
  private async written(zone: ZoneName): Promise<string[]> {
    const user = etcdRegistrarOf(zone);
    const { perm } = role.parse(await this.client.request(user, "auth/role/get", { role: user }));
    return perm
      .filter(({ permType }) => permType !== "READ")
      .map(({ key }) => Buffer.from(key, "base64").toString("latin1"));
  }

  private zone(name: ZoneName): ZoneOfEtcd {
    const zone = this.zones.get(name);
    if (zone === undefined) {
      throw new Error(`etcd has no user for zone ${name}`);
    }
    return zone;
  }
}

const DONE: Readonly<Record<Write["kind"], string>> = {
  register: "registered",
  deregister: "deregistered",
  "remove-record": "foreign record removed",
};

function afterwards(write: Write): Step<EtcdEntry>["after"] {
  if (write.kind === "register") {
    return { entry: { records: [write.record] } };
  }
  return write.kind === "deregister" ? { entry: undefined } : "unread";
}
