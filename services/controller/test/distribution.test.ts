import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { Distribution } from "../src/distribution/distribution.js";
import { SidecarObjects } from "../src/distribution/objects.js";
import { KubernetesApi } from "../src/kubernetes/api.js";
import { PodStore } from "../src/kubernetes/pods.js";
import { createLog } from "../src/log.js";
import { eventually } from "./support/eventually.js";
import { FakeKubernetes } from "./support/fake-kubernetes.js";
import { podObject } from "./support/objects.js";

const PODS = "/api/v1/namespaces/lucid-ops/pods";
const MAPS = "/api/v1/namespaces/lucid-ops/configmaps";
const FAST = { first: 5, limit: 20 };

describe("controller: distribution", () => {
  let kubernetes: FakeKubernetes;
  let stop: AbortController;
  let running: Promise<unknown>;
  let store: PodStore;
  let objects: SidecarObjects;
  const failures: string[] = [];

  const told = (pod: string): string | undefined => {
    const { annotations } = (kubernetes.get(PODS, pod)?.metadata ?? {}) as { annotations?: Record<string, string> };
    return annotations?.["lucid.internal/distributed"];
  };
  const patches = (pod: string): number =>
    kubernetes.requests.filter((made) => made === `PATCH ${PODS}/${pod}/status`).length;
  const write = (name: string): void => {
    kubernetes.put(MAPS, { metadata: { name }, data: { file: "text" } });
  };
  /** Until every pod has been told once of what stood at the start. */
  const settled = (...pods: string[]): Promise<void> =>
    eventually(() => {
      for (const pod of pods) {
        assert.ok(told(pod) !== undefined, `${pod} was told`);
        assert.equal(store.get(pod)?.distributed, told(pod));
      }
    });

  beforeEach(async () => {
    kubernetes = await FakeKubernetes.start();
    stop = new AbortController();
    failures.length = 0;
    for (const name of ["admin-ui-envoy", "admin-ui-trust", "jaeger-envoy", "jaeger-trust", "mesh-tokens", "other"]) {
      write(name);
    }
    kubernetes.put(PODS, podObject("ui-1"));
    kubernetes.put(PODS, podObject("ui-2"));
    kubernetes.put(PODS, podObject("jaeger-1", { service: "jaeger" }));
    const api = new KubernetesApi(kubernetes.kubeConfig());
    store = new PodStore(
      api,
      "lucid-ops",
      {
        changed: (name) => {
          distribution.podSeen("lucid-ops", name);
        },
        failed: () => undefined,
      },
      { backoff: FAST },
    );
    objects = new SidecarObjects(
      api,
      "lucid-ops",
      {
        changed: (service) => {
          distribution.objectsChanged("lucid-ops", service);
        },
        failed: (error) => failures.push(String(error)),
      },
      { backoff: FAST },
    );
    const distribution: Distribution = new Distribution(
      api,
      [{ pods: store, objects }],
      createLog("error", () => undefined),
      { failed: (where, error) => failures.push(`${where}: ${String(error)}`) },
      { settle: 30, backoff: FAST },
    );
    running = Promise.all([store.follow(stop.signal), objects.follow(stop.signal), distribution.run(stop.signal)]);
  });
  afterEach(async () => {
    stop.abort();
    await running;
    await kubernetes.stop();
  });

  it("tells the pods of the service whose configuration changed, and no others", async () => {
    await settled("ui-1", "ui-2", "jaeger-1");
    const before = [told("ui-1"), told("jaeger-1")];
    write("admin-ui-envoy");
    await eventually(() => {
      assert.notEqual(told("ui-1"), before[0]);
      assert.equal(told("ui-2"), told("ui-1"));
    });
    assert.equal(told("jaeger-1"), before[1]);
    write("jaeger-trust");
    await eventually(() => {
      assert.notEqual(told("jaeger-1"), before[1]);
    });
    assert.deepEqual(failures, []);
  });

  it("tells every pod of new token keys, and nobody of an object that no sidecar reads", async () => {
    await settled("ui-1", "ui-2", "jaeger-1");
    const before = ["ui-1", "ui-2", "jaeger-1"].map(told);
    write("other");
    write("mesh-tokens");
    await eventually(() => {
      ["ui-1", "ui-2", "jaeger-1"].forEach((pod, index) => {
        assert.notEqual(told(pod), before[index]);
      });
    });
    const after = patches("ui-1");
    write("other");
    await sleep(150);
    assert.equal(patches("ui-1"), after);
  });

  it("tells the pods of a service of the certificate that its issuer made, and knows until when it is good", async () => {
    await settled("ui-1", "ui-2", "jaeger-1");
    const [before, other] = [told("ui-1"), told("jaeger-1")];
    const certificate = (end: string): void => {
      const annotations = {
        "lucid.internal/certificate-not-after": end,
        "lucid.internal/certificate-renewal": "2026-11-23T02:00:00Z",
        "lucid.internal/certificate-serial": "4f5a",
      };
      kubernetes.put(MAPS, { metadata: { name: "admin-ui-certificate", annotations } });
    };
    certificate("2026-11-23T10:00:00Z");
    await eventually(() => {
      assert.notEqual(told("ui-1"), before);
      assert.equal(told("ui-2"), told("ui-1"));
    });
    assert.equal(told("jaeger-1"), other);
    assert.equal(objects.certificateEnd("admin-ui"), "2026-11-23T10:00:00Z");
    assert.equal(objects.certificateRenewal("admin-ui"), "2026-11-23T02:00:00Z");
    assert.equal(objects.certificateSerial("admin-ui"), "4f5a");
    assert.equal(objects.certificateRenewal("jaeger"), undefined);
    assert.equal(objects.certificateSerial("jaeger"), undefined);
    certificate("soon");
    await eventually(() => {
      assert.equal(objects.certificateEnd("admin-ui"), undefined);
    });
  });

  it("goes by what Pulumi says of a certificate, where both say something", async () => {
    await settled("ui-1");
    const annotations = {
      "lucid.internal/certificate-not-after": "2026-11-23T10:00:00Z",
      "lucid.internal/certificate-serial": "4f5a",
    };
    kubernetes.put(MAPS, { metadata: { name: "admin-ui-certificate", annotations } });
    await eventually(() => {
      assert.equal(objects.certificateSerial("admin-ui"), "4f5a");
    });
    const end = "2027-02-01T00:00:00Z";
    kubernetes.put(MAPS, {
      metadata: { name: "admin-ui-trust", annotations: { "lucid.internal/certificate-not-after": end } },
    });
    await eventually(() => {
      assert.equal(objects.certificateEnd("admin-ui"), end);
    });
    assert.equal(objects.certificateSerial("admin-ui"), undefined);
  });

  it("makes one telling of a burst of changes", async () => {
    await settled("ui-1", "ui-2");
    const before = patches("ui-1");
    for (let change = 0; change < 20; change++) {
      write("admin-ui-envoy");
      write("admin-ui-trust");
    }
    const last = told("ui-1");
    await eventually(() => {
      assert.notEqual(told("ui-1"), last);
    });
    await sleep(150);
    assert.ok(patches("ui-1") - before <= 2, `${String(patches("ui-1") - before)} patches`);
  });

  it("tells a pod that began while its objects changed, and one that was missed", async () => {
    await settled("ui-1");
    kubernetes.put(PODS, podObject("ui-3"));
    await eventually(() => {
      assert.equal(told("ui-3"), told("ui-1"));
    });
  });

  it("asks for metadata alone, writes to the status alone, and leaves pods that end", async () => {
    await settled("ui-1");
    kubernetes.put(PODS, podObject("ui-4", { terminating: true }));
    kubernetes.put(PODS, podObject("ui-5", { phase: "Succeeded" }));
    write("admin-ui-envoy");
    await eventually(() => {
      assert.ok(patches("ui-1") >= 2);
    });
    assert.equal(told("ui-4"), undefined);
    assert.equal(told("ui-5"), undefined);
    assert.ok(kubernetes.requests.filter((made) => made.startsWith("PATCH")).every((made) => made.endsWith("/status")));
    assert.ok(kubernetes.requests.every((made) => !made.includes("secrets")));
    assert.ok(kubernetes.accepted(MAPS).every((type) => type.includes("PartialObjectMetadata")));
  });

  it("goes on where a pod is refused or gone", async () => {
    await settled("ui-1", "jaeger-1");
    kubernetes.intercept = (kind, path) =>
      kind === "PATCH" && path.includes("ui-1") ? 403 : kind === "PATCH" && path.includes("ui-2") ? 404 : undefined;
    const before = told("jaeger-1");
    write("mesh-tokens");
    await eventually(() => {
      assert.notEqual(told("jaeger-1"), before);
      assert.match(failures.join(), /sidecars of lucid-ops\/admin-ui/);
    });
    kubernetes.intercept = () => undefined;
    await eventually(() => {
      assert.equal(store.get("ui-1")?.distributed, told("ui-2"));
    });
  });
});
