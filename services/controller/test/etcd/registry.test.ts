/** A real etcd as the controller's registry. */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { ETCD_ROOT, etcdKeyOf } from "../../../../mesh/etcd.js";
import { AccessKeeper } from "../../src/etcd/access/keeper.js";
import { EtcdClient } from "../../src/etcd/client.js";
import type { EtcdEntry } from "../../src/etcd/entry.js";
import { EtcdRegistry } from "../../src/etcd/registry.js";
import { EtcdStore, NO_LEASE, type KeyValue } from "../../src/etcd/store.js";
import { createLog } from "../../src/log.js";
import type { Registration } from "../../src/registry/registration.js";
import { ACCESS, TestEtcd } from "../support/etcd.js";
import { eventually } from "../support/eventually.js";
import { registration } from "../support/registration.js";

/** Seconds; etcd gives no shorter lease than its election takes. */
const TTL = 6;

describe("controller: etcd as a registry", function () {
  this.timeout(60_000);
  let etcd: TestEtcd;
  let root: EtcdClient;
  let registry: EtcdRegistry;
  let stop: AbortController;
  let running: Promise<void>;

  const keepAccess = (): Promise<void> =>
    new AccessKeeper(
      root,
      ACCESS,
      createLog("error", () => undefined),
    ).converge();
  const open = (): void => {
    stop = new AbortController();
    registry = new EtcdRegistry(etcd.connection, {
      zones: ["ops", "chain"],
      ttl: TTL,
      observe: () => undefined,
      failed: () => undefined,
    });
    running = registry.run(stop.signal);
  };
  const shut = async (): Promise<void> => {
    stop.abort();
    await running;
    registry.close();
  };

  before(async () => {
    etcd = await TestEtcd.start();
    root = new EtcdClient(etcd.connection);
    await keepAccess();
  });
  after(async () => {
    root.close();
    await etcd.stop();
  });
  beforeEach(() => {
    open();
  });
  afterEach(async () => {
    await shut();
    await new EtcdStore(root, "root").deleteBelow(ETCD_ROOT);
  });

  const stored = (): Promise<KeyValue[]> => new EtcdStore(root, "root").below(ETCD_ROOT);
  const keys = async (): Promise<string[]> => (await stored()).map(({ key }) => key);
  /** Makes etcd equal to what is desired of a zone, as the controller does. */
  const converge = async (...wanted: readonly Registration[]): Promise<number> => {
    const zone = wanted[0]?.zone ?? "ops";
    const desired = new Map(wanted.map((one) => [one.pod, one]));
    const actual: ReadonlyMap<string, EtcdEntry> = await registry.read(zone);
    let steps = 0;
    for (const pod of new Set([...desired.keys(), ...actual.keys()])) {
      for (const step of registry.steps(zone, pod, desired.get(pod), actual.get(pod))) {
        await step.carryOut();
        steps += 1;
      }
    }
    return steps;
  };

  it("holds one record for each ready pod, as CoreDNS reads it, and writes nothing twice", async () => {
    const wanted = [registration("a"), registration("b", { version: "v2", address: "10.244.0.8" })];
    assert.equal(await converge(...wanted, registration("c", { ready: false })), 2);
    const [first, second] = await stored();
    assert.equal(first?.key, etcdKeyOf("admin-ui", undefined, "a"));
    assert.equal(second?.key, etcdKeyOf("admin-ui", "v-v2", "b"));
    assert.deepEqual(JSON.parse(second.value), {
      host: "10.244.0.8",
      port: 15001,
      ttl: 5,
      id: "b",
      name: "admin-ui",
      plane: "ops",
      version: "v2",
      tags: ["zone=ops", "version=v2", "v-v2", "instance=b"],
      uid: "uid-b",
    });
    assert.ok(first.lease !== NO_LEASE && first.lease === second.lease, "one lease for the zone");
    assert.equal(await converge(...wanted), 0);
  });

  it("loses a pod at once that is not ready, or gone, or of another version", async () => {
    await converge(registration("a"), registration("b"));
    assert.equal(await converge(registration("a", { ready: false }), registration("b", { version: "v2" })), 3);
    assert.deepEqual(await keys(), [etcdKeyOf("admin-ui", "v-v2", "b")]);
    assert.equal(await converge(), 1);
    assert.deepEqual(await keys(), []);
  });

  it("takes away what others put under the zone's names, whatever it is, and nothing else", async () => {
    const store = new EtcdStore(root, "root");
    for (const key of [etcdKeyOf("admin-ui", undefined, "ghost"), `${ETCD_ROOT}service/admin-ui/\xff`]) {
      await store.put({ key, value: "no JSON", lease: NO_LEASE });
    }
    const foreign = etcdKeyOf("lucid-blocks", undefined, "x");
    await store.put({ key: foreign, value: "{}", lease: NO_LEASE });
    await converge(registration("a"));
    assert.deepEqual((await keys()).sort(), [etcdKeyOf("admin-ui", undefined, "a"), foreign].sort());
  });

  it("finds what stands there after a write of unknown outcome", async () => {
    await converge(registration("a"));
    for (const step of registry.steps("ops", "a", undefined, "unknown")) await step.carryOut();
    assert.deepEqual(await keys(), []);
  });

  it("is kept for longer than its lease lives, and a successor goes on with the lease that it finds", async () => {
    await converge(registration("a"));
    const [before] = await stored();
    await sleep(2 * TTL * 1000);
    assert.deepEqual(await stored(), [before]);
    await shut();
    open();
    assert.equal(await converge(registration("a")), 0);
    assert.deepEqual(await stored(), [before]);
  });

  it("is gone, all of it at one revision, within its time when nobody keeps it", async () => {
    await converge(registration("a"), registration("b"), registration("c"));
    await shut();
    const counts = new Set<number>();
    await eventually(
      async () => {
        const { length } = await stored();
        counts.add(length);
        assert.equal(length, 0);
      },
      4 * TTL * 1000,
    );
    assert.deepEqual([...counts], [3, 0]);
    open();
    assert.equal(await converge(registration("a")), 1);
  });

  it("fills an etcd that lost everything", async () => {
    await converge(registration("a"));
    await etcd.empty();
    await keepAccess();
    await eventually(async () => {
      await converge(registration("a"));
      assert.equal((await stored()).length, 1);
    }, 30_000);
    const [record] = await stored();
    assert.notEqual(record?.lease, NO_LEASE);
  });

  it("refuses the zone what is another's", async () => {
    await converge(registration("a"));
    const thief = registration("a", { service: "lucid-blocks" });
    await assert.rejects(converge(thief), /403|permission denied/i);
  });
});
