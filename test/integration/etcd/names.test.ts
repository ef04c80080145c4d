/** Names from registration to answer: the controller's registry code, a real etcd with TLS and users, and CoreDNS as each node runs it. */
import assert from "node:assert/strict";
import { discoveryNameOf, versionDiscoveryName } from "../../../mesh";
import { ETCD_RESOLVER } from "../../../mesh/etcd";
import { AccessKeeper } from "../../../services/controller/src/etcd/access/keeper";
import { EtcdClient } from "../../../services/controller/src/etcd/client";
import { EtcdRegistry } from "../../../services/controller/src/etcd/registry";
import { createLog } from "../../../services/controller/src/log";
import type { Registration } from "../../../services/controller/src/registry/registration";
import { ACCESS, TestEtcd } from "../../../services/controller/test/support/etcd";
import { eventually } from "../support/eventually";
import { TestResolver } from "./resolver";

/** `SERVICE_REGISTRY_TTL`: the default. */
const TTL = 60;
const NAME = discoveryNameOf("admin-ui");
/** How often a name is asked for while nothing is answered, 20 seconds each. */
const MOST_ASKED = 3;

const pod = (name: string, address: string, version = "stable", ready = true): Registration => ({
  zone: "ops",
  pod: name,
  uid: `uid-${name}`,
  service: "admin-ui",
  address,
  version,
  ready,
});
const A = pod("a", "10.244.0.1");
const B = pod("b", "10.244.0.2", "canary");

describe("names from etcd", function () {
  this.timeout(240_000);
  let etcd: TestEtcd;
  let resolver: TestResolver;
  let root: EtcdClient;
  let registry: EtcdRegistry;
  let stop: AbortController;
  let running: Promise<void>;

  const keepAccess = () =>
    new AccessKeeper(
      root,
      ACCESS,
      createLog("error", () => undefined),
    ).converge();
  const open = () => {
    stop = new AbortController();
    const quiet = () => undefined;
    registry = new EtcdRegistry(etcd.connection, { zones: ["ops"], ttl: TTL, observe: quiet, failed: quiet });
    running = registry.run(stop.signal);
  };
  const shut = async () => {
    stop.abort();
    await running;
    registry.close();
  };
  const converge = async (...wanted: readonly Registration[]) => {
    const desired = new Map(wanted.map((one) => [one.pod, one]));
    const actual = await registry.read("ops");
    for (const name of new Set([...desired.keys(), ...actual.keys()]))
      for (const step of registry.steps("ops", name, desired.get(name), actual.get(name))) await step.carryOut();
  };
  const answers = (name: string, expected: readonly string[] | string, seconds = 15) =>
    eventually(
      `the answer to ${name}`,
      async () => assert.deepEqual(await resolver.addresses(name), expected),
      seconds,
    );

  /** What is answered at all: a question that stays without answer is asked again, as a sidecar does. */
  const firstAnswer = async (name: string) => {
    for (let asked = 1; ; asked++) {
      const answer = await resolver.addresses(name);
      if (answer !== "ETIMEOUT" || asked === MOST_ASKED) return answer;
    }
  };

  before(async () => {
    etcd = await TestEtcd.start();
    root = new EtcdClient(etcd.connection);
    await keepAccess();
    const identity = await etcd.client("node-resolver");
    assert.equal(ETCD_RESOLVER, "node-resolver.lucid.internal", "the common name of that certificate");
    resolver = await TestResolver.start(etcd.port, etcd.authority, identity);
    open();
  });
  after(async () => {
    await shut();
    await resolver.stop();
    root.close();
    await etcd.stop();
  });

  it("are answered with all ready instances, and by version", async () => {
    await converge(A, B, pod("c", "10.244.0.3", "stable", false));
    await answers(NAME, ["10.244.0.1", "10.244.0.2"]);
    await answers(versionDiscoveryName(discoveryNameOf("admin-ui"), "canary"), ["10.244.0.2"]);
    await answers(versionDiscoveryName(discoveryNameOf("admin-ui"), "stable"), ["10.244.0.1"]);
  });

  it("follow what is registered, within the time of the cache", async () => {
    await converge(A);
    await answers(NAME, ["10.244.0.1"]);
    await converge(A, B);
    await answers(NAME, ["10.244.0.1", "10.244.0.2"]);
  });

  it("that nobody has are answered as a failure, which empties no cluster", async () => {
    assert.equal(await resolver.addresses(discoveryNameOf("nobody")), "ESERVFAIL");
    await converge(A);
    await answers(versionDiscoveryName(discoveryNameOf("admin-ui"), "stable"), ["10.244.0.1"]);
    await converge();
    // The last good answer stays.
    await new Promise((resolve) => setTimeout(resolve, 10_000));
    assert.deepEqual(await resolver.addresses(NAME), ["10.244.0.1", "10.244.0.2"]);
    await converge(A, B);
  });

  for (const name of [
    "*.service.discovery.lucid.internal",
    "any.service.discovery.lucid.internal",
    "service.discovery.lucid.internal",
  ]) {
    it(`are not all told at once: ${name}`, async () => {
      assert.equal(await resolver.addresses(name), "EREFUSED");
    });
  }

  it("are told to a resolver of the mesh alone", async () => {
    const stranger = await TestResolver.start(etcd.port, etcd.authority, await etcd.client("somebody"));
    try {
      assert.equal(await stranger.addresses(NAME), "ESERVFAIL");
    } finally {
      await stranger.stop();
    }
  });

  it("stay what they were while etcd is away, and are right again when it is back", async () => {
    await converge(A, B);
    await answers(NAME, ["10.244.0.1", "10.244.0.2"]);
    await etcd.down();
    await new Promise((resolve) => setTimeout(resolve, 8_000));
    assert.deepEqual(await firstAnswer(NAME), ["10.244.0.1", "10.244.0.2"]);
    await etcd.up();
    await eventually("the change", () => converge(A), 60);
    await answers(NAME, ["10.244.0.1"], 30);
  });

  it("are filled again after etcd lost everything", async () => {
    await etcd.empty();
    await keepAccess();
    await eventually("the registration", () => converge(B), 60);
    await answers(NAME, ["10.244.0.2"], 30);
  });

  it("are not in etcd any more within 60 seconds without a controller, and stay whole in the resolver", async () => {
    await converge(A, B);
    await answers(NAME, ["10.244.0.1", "10.244.0.2"], 30);
    await shut();
    const begun = Date.now();
    const range = { key: "AA==", range_end: "AA==", count_only: true };
    await eventually(
      "the end of the lease",
      async () =>
        assert.equal(((await root.request("root", "kv/range", range)) as { count?: string }).count, undefined),
      TTL + 15,
    );
    const seconds = (Date.now() - begun) / 1000;
    assert.ok(seconds > TTL / 2, `after ${String(seconds)} s already`);
    await new Promise((resolve) => setTimeout(resolve, 8_000));
    assert.deepEqual(await firstAnswer(NAME), ["10.244.0.1", "10.244.0.2"]);
    open();
  });
});
