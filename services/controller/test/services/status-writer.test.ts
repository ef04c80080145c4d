import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { MeshServiceStatus } from "../../../../mesh/custom-resource/index.js";
import { SidecarObjects } from "../../src/distribution/objects.js";
import { KubernetesApi } from "../../src/kubernetes/api.js";
import { PodStore } from "../../src/kubernetes/pods.js";
import { createLog } from "../../src/log.js";
import { StatusWriter } from "../../src/services/status-writer.js";
import { ServiceStore } from "../../src/services/store.js";
import { ZoneState } from "../../src/zone.js";
import { eventually } from "../support/eventually.js";
import { FakeKubernetes } from "../support/fake-kubernetes.js";
import { meshServiceObject, podObject } from "../support/objects.js";

const PODS = "/api/v1/namespaces/lucid-ops/pods";
const MAPS = "/api/v1/namespaces/lucid-ops/configmaps";
const SERVICES = "/apis/mesh.lucid.internal/v1alpha1/namespaces/lucid-ops/meshservices";
const FAST = { first: 5, limit: 20 };
const PATIENCE = 60_000;

describe("controller: the status of services", () => {
  let kubernetes: FakeKubernetes;
  let stop: AbortController;
  let running: Promise<unknown>;
  let zone: ZoneState;
  let writer: StatusWriter;
  let offset: number;
  const failures: string[] = [];
  /** Pods that the registry does not hold as it should. */
  const unregistered = new Set<string>();
  const written: string[] = [];

  const status = (name: string): MeshServiceStatus | undefined =>
    kubernetes.get(SERVICES, name)?.status as MeshServiceStatus | undefined;
  const says = (name: string): Record<string, string> =>
    Object.fromEntries((status(name)?.conditions ?? []).map(({ type, status: value }) => [type, value]));
  const becomes = (name: string, expected: Readonly<Record<string, string>>): Promise<void> =>
    eventually(() => {
      assert.deepEqual({ ...says(name), ...expected }, says(name));
    });
  const patches = (): number => kubernetes.requests.filter((made) => made.startsWith(`PATCH ${SERVICES}`)).length;
  const compared = (): void => {
    zone.known.observe(new Map(), zone.known.beginRead());
    zone.lastSync = Date.now() + offset;
    writer.zoneChanged("ops");
  };

  beforeEach(async () => {
    kubernetes = await FakeKubernetes.start();
    stop = new AbortController();
    failures.length = 0;
    written.length = 0;
    unregistered.clear();
    offset = 0;
    kubernetes.put(SERVICES, meshServiceObject("admin-ui"));
    kubernetes.put(SERVICES, meshServiceObject("jaeger", { replicas: 1 }));
    kubernetes.put(PODS, podObject("ui-1"));
    kubernetes.put(PODS, podObject("ui-2"));
    const annotations = { "lucid.internal/certificate-not-after": "2027-01-01T00:00:00Z" };
    kubernetes.put(MAPS, { metadata: { name: "admin-ui-trust", annotations } });
    const api = new KubernetesApi(kubernetes.kubeConfig());
    const follow = { backoff: FAST };
    const failed = (error: unknown) => failures.push(String(error));
    const store = new PodStore(
      api,
      "lucid-ops",
      {
        changed: (_, services) => {
          services.forEach((service) => {
            writer.serviceChanged("ops", service);
          });
        },
        failed,
      },
      follow,
    );
    const events = (name: string | undefined): void => {
      if (name !== undefined) writer.serviceChanged("ops", name);
    };
    const services = new ServiceStore(api, "lucid-ops", { changed: events, failed }, follow);
    const objects = new SidecarObjects(api, "lucid-ops", { changed: events, failed }, follow);
    zone = new ZoneState("ops", store, () => false);
    const step = { kind: "register", done: "", after: "unread" as const, carryOut: () => Promise.resolve() };
    writer = new StatusWriter(
      api,
      [{ zone, services, objects, drift: () => [] }],
      { steps: (_, pod) => (unregistered.has(pod) ? [step] : []) },
      createLog("error", () => undefined),
      { statusWritten: (name) => written.push(name) },
      (where, error) => failures.push(`${where}: ${String(error)}`),
      { settle: 30, backoff: FAST, patience: PATIENCE, now: () => Date.now() + offset },
    );
    const { signal } = stop;
    running = Promise.all([store.follow(signal), services.follow(signal), objects.follow(signal), writer.run(signal)]);
    await eventually(() => {
      assert.ok(store.synced && services.synced && objects.digest("admin-ui") !== undefined, failures.join());
    });
  });
  afterEach(async () => {
    stop.abort();
    await running;
    await kubernetes.stop();
  });

  it("is written once, and again when something changes", async () => {
    compared();
    await becomes("admin-ui", { Ready: "True", Registered: "True", Distributed: "False" });
    assert.deepEqual(status("admin-ui")?.instances, { present: 2, ready: 2, registered: 2 });
    assert.equal(status("admin-ui")?.certificate?.notAfter, "2027-01-01T00:00:00Z");
    await becomes("jaeger", { Ready: "False" });
    const before = patches();
    compared();
    await sleep(200);
    assert.equal(patches(), before, "nothing changed, nothing is written");
    kubernetes.put(PODS, podObject("ui-2", { ready: false }));
    await becomes("admin-ui", { Ready: "False" });
    kubernetes.delete(PODS, "ui-2");
    await eventually(() => {
      assert.deepEqual(status("admin-ui")?.instances, { present: 1, ready: 1, registered: 1 });
    });
    assert.equal(written.length, patches());
    assert.deepEqual(failures, []);
  });

  it("makes one write of a burst of changes", async () => {
    compared();
    await becomes("admin-ui", { Ready: "True" });
    await sleep(100);
    const before = patches();
    for (let count = 0; count < 50; count += 1) {
      kubernetes.put(PODS, podObject("ui-2", { ready: count % 2 === 0 }));
    }
    await becomes("admin-ui", { Ready: "False" });
    await sleep(100);
    assert.ok(patches() - before <= 2, `${String(patches() - before)} writes`);
  });

  it("leaves what the last leader said, until its own zone was compared", async () => {
    await sleep(200);
    assert.equal(patches(), 0);
    compared();
    await becomes("admin-ui", { Registered: "True" });
  });

  it("says so where the registry can't be read for long", async () => {
    compared();
    await becomes("admin-ui", { Registered: "True" });
    offset = PATIENCE + 1_000;
    writer.zoneChanged("ops");
    await becomes("admin-ui", { Ready: "True", Registered: "Unknown" });
    compared();
    await becomes("admin-ui", { Registered: "True" });
  });

  it("tells of instances that callers don't find, and of pods that are none", async () => {
    unregistered.add("ui-1");
    compared();
    await becomes("admin-ui", { Registered: "False" });
    unregistered.clear();
    kubernetes.put(PODS, podObject("thief", { serviceAccount: "jaeger" }));
    await eventually(() => {
      const found = status("admin-ui")?.conditions?.find(({ type }) => type === "Registered");
      assert.match(found?.message ?? "", /pods are refused: thief: it runs as service account "jaeger"/);
    });
  });

  it("overwrites nothing that another wrote since, and says it again", async () => {
    compared();
    await becomes("admin-ui", { Ready: "True" });
    const object = kubernetes.get(SERVICES, "admin-ui");
    assert.ok(object !== undefined);
    kubernetes.put(SERVICES, { ...object, status: { instances: { present: 9, ready: 9, registered: 9 } } });
    await eventually(() => {
      assert.equal(status("admin-ui")?.instances?.ready, 2);
    });
    // One who saw an older version than there is.
    kubernetes.mute = true;
    kubernetes.put(SERVICES, { ...object, status: undefined, metadata: { ...object.metadata, labels: { note: "x" } } });
    writer.serviceChanged("ops", "admin-ui");
    kubernetes.put(PODS, podObject("ui-1"));
    kubernetes.mute = false;
    kubernetes.endWatches("break");
    await becomes("admin-ui", { Ready: "True" });
    assert.deepEqual((kubernetes.get(SERVICES, "admin-ui")?.metadata as { labels?: object }).labels, { note: "x" });
  });

  it("goes on where a service is refused or declared no more, and tells a new one", async () => {
    let faults = 3;
    kubernetes.intercept = (kind, path) =>
      kind === "PATCH" && path.includes("/admin-ui/") && faults-- > 0 ? 500 : undefined;
    compared();
    await becomes("admin-ui", { Ready: "True" });
    assert.equal(failures.length, 3);
    kubernetes.delete(SERVICES, "jaeger");
    writer.serviceChanged("ops", "jaeger");
    kubernetes.put(SERVICES, meshServiceObject("prometheus", { replicas: 1 }));
    await becomes("prometheus", { Ready: "False" });
    assert.equal(kubernetes.get(SERVICES, "jaeger"), undefined);
    assert.equal(failures.length, 3);
  });

  it("takes out what is not said any more, and judges by the present declaration", async () => {
    compared();
    await becomes("admin-ui", { Ready: "True" });
    kubernetes.delete(MAPS, "admin-ui-trust");
    await eventually(() => {
      assert.equal(status("admin-ui")?.certificate ?? null, null);
    });
    const object = meshServiceObject("admin-ui", { replicas: 3, generation: 2 });
    kubernetes.put(SERVICES, { ...object, status: status("admin-ui") });
    await becomes("admin-ui", { Ready: "False" });
    assert.equal(status("admin-ui")?.observedGeneration, 2);
  });
});
