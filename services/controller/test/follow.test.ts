import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { KubernetesApi } from "../src/kubernetes/api.js";
import { PodStore } from "../src/kubernetes/pods.js";
import { eventually } from "./support/eventually.js";
import { FakeKubernetes } from "./support/fake-kubernetes.js";
import { podObject } from "./support/objects.js";

const PODS = "/api/v1/namespaces/lucid-ops/pods";

describe("controller: following pods", () => {
  let kubernetes: FakeKubernetes;
  let stop: AbortController;
  let store: PodStore;
  let running: Promise<void>;
  const changed: string[] = [];
  const failures: unknown[] = [];

  const names = (): string[] => [...store.all()].map(({ name }) => name).sort();
  const count = (request: string): number => kubernetes.requests.filter((made) => made === `${request} ${PODS}`).length;
  const watching = (): Promise<void> =>
    eventually(() => {
      assert.equal(kubernetes.openWatches, 1);
    });
  const seen = (...expected: string[]): Promise<void> =>
    eventually(() => {
      assert.deepEqual(names(), expected);
    });

  beforeEach(async () => {
    kubernetes = await FakeKubernetes.start();
    stop = new AbortController();
    changed.length = 0;
    failures.length = 0;
    store = new PodStore(
      new KubernetesApi(kubernetes.kubeConfig()),
      "lucid-ops",
      { changed: (name) => changed.push(name), failed: (error) => failures.push(error) },
      { backoff: { first: 20, limit: 100 }, watchIdle: 1_500 },
    );
  });

  afterEach(async () => {
    stop.abort();
    await running;
    await kubernetes.stop();
  });

  const start = (): void => {
    running = store.follow(stop.signal);
  };

  it("lists in pages, then watches", async () => {
    for (const name of ["a", "b", "c", "d", "e"]) {
      kubernetes.put(PODS, podObject(name));
    }
    assert.equal(store.synced, false);
    start();
    await seen("a", "b", "c", "d", "e");
    assert.equal(store.synced, true);
    assert.equal(count("LIST"), 3);
    await watching();
    kubernetes.put(PODS, podObject("f"));
    kubernetes.delete(PODS, "a");
    kubernetes.put(PODS, podObject("b", { ready: false }));
    await seen("b", "c", "d", "e", "f");
    await eventually(() => {
      assert.equal(store.get("b")?.ready, false);
    });
    assert.deepEqual(failures, []);
  });

  it("goes on where a watch ended, without a new list", async () => {
    start();
    await watching();
    kubernetes.put(PODS, podObject("a"));
    await seen("a");
    kubernetes.endWatches("end");
    kubernetes.delete(PODS, "a");
    kubernetes.put(PODS, podObject("b"));
    await seen("b");
    assert.equal(count("LIST"), 1);
    assert.deepEqual(failures, []);
  });

  it("lists anew where a watch broke, and misses no deletion meanwhile", async () => {
    start();
    await watching();
    kubernetes.put(PODS, podObject("a"));
    kubernetes.put(PODS, podObject("b"));
    await seen("a", "b");
    changed.length = 0;
    kubernetes.endWatches("break");
    kubernetes.delete(PODS, "a");
    await seen("b");
    assert.ok(changed.includes("a"), "the deletion was told");
    assert.equal(count("LIST"), 2);
    assert.equal(failures.length, 1);
  });

  for (const how of ["answer", "event"] as const) {
    it(`lists anew where its version has expired (410 as an ${how}), and takes that for no failure`, async () => {
      start();
      await watching();
      kubernetes.put(PODS, podObject("a"));
      await seen("a");
      kubernetes.mute = true;
      kubernetes.delete(PODS, "a");
      kubernetes.put(PODS, podObject("b"));
      kubernetes.mute = false;
      kubernetes.compact();
      kubernetes.endWatches(how === "answer" ? "end" : "expire");
      await seen("b");
      assert.ok(changed.includes("a"));
      assert.equal(count("LIST"), 2);
      assert.deepEqual(failures, []);
    });
  }

  it("takes no failed list for an empty one", async () => {
    kubernetes.put(PODS, podObject("a"));
    start();
    await seen("a");
    await watching();
    for (const fault of [500, 403, 503] as const) {
      kubernetes.intercept = () => fault;
      failures.length = 0;
      kubernetes.endWatches("break");
      await eventually(() => {
        assert.ok(failures.length > 1);
      });
      assert.deepEqual(names(), ["a"]);
      assert.match(String(store.error), new RegExp(String(fault)));
      kubernetes.intercept = () => undefined;
      await watching();
      assert.equal(store.error, undefined);
    }
  });

  it("takes no strange answer for an empty list", async () => {
    kubernetes.put(PODS, podObject("a"));
    // 200, but not a list: what a proxy in between might say.
    kubernetes.intercept = () => 200;
    start();
    await eventually(() => {
      assert.ok(failures.length > 1);
    });
    assert.equal(store.synced, false);
    kubernetes.intercept = () => undefined;
    await seen("a");
  });

  it("leaves a connection that died without a word", async () => {
    start();
    await watching();
    kubernetes.put(PODS, podObject("a"));
    await seen("a");
    kubernetes.mute = true;
    kubernetes.delete(PODS, "a");
    await seen();
    assert.match(String(failures[0]), /silent for 1.5 s/);
  });

  it("survives the API server's absence, ever less impatient", async () => {
    start();
    await watching();
    kubernetes.intercept = (kind) => (kind === "GET" ? undefined : 500);
    kubernetes.endWatches("break");
    await sleep(600);
    const tries = failures.length;
    assert.ok(tries >= 3 && tries <= 20, `${String(tries)} tries in 0.6 s`);
    kubernetes.intercept = () => undefined;
    kubernetes.put(PODS, podObject("a"));
    await seen("a");
  });

  it("tells one pod's absence from every other answer", async () => {
    kubernetes.put(PODS, podObject("a"));
    start();
    await seen("a");
    assert.equal((await store.read("a", stop.signal))?.name, "a");
    assert.equal(await store.read("b", stop.signal), undefined);
    kubernetes.intercept = (kind) => (kind === "GET" ? 500 : undefined);
    await assert.rejects(store.read("b", stop.signal), /500/);
    kubernetes.intercept = (kind) => (kind === "GET" ? 200 : undefined);
    await assert.rejects(store.read("b", stop.signal));
  });

  it("ends at once when told to", async () => {
    start();
    await watching();
    const begun = performance.now();
    stop.abort();
    await running;
    assert.ok(performance.now() - begun < 500);
  });
});
