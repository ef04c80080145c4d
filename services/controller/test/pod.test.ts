import assert from "node:assert/strict";
import { assess, parsePod } from "../src/pod.js";
import { entryOf, nodeName, podOf } from "../src/consul/entry.js";
import { podObject, type PodOptions } from "./support/objects.js";

describe("controller: what a pod means", () => {
  const cases: readonly [string, PodOptions, "present" | "absent" | "refused", RegExp?][] = [
    ["a ready pod", {}, "present"],
    ["a pod that is not ready", { ready: false }, "present"],
    ["a pending pod with an address", { phase: "Pending", ready: false }, "present"],
    ["a pod without an address", { address: null }, "absent", /no address/],
    ["a pod whose address is empty", { address: "" }, "absent", /no address/],
    ["a pod that is being deleted", { terminating: true }, "absent", /terminating/],
    ["a pod that is being deleted and still ready", { terminating: true, ready: true }, "absent", /terminating/],
    ["a pod that succeeded", { phase: "Succeeded" }, "absent", /finished/],
    ["a pod that failed", { phase: "Failed" }, "absent", /finished/],
    ["a pod without the mark", { labels: { "app.kubernetes.io/name": "admin-ui" } }, "absent", /not meshed/],
    [
      "a pod without a service",
      { labels: { "lucid.internal/meshed": "true" } },
      "refused",
      /app\.kubernetes\.io\/name/,
    ],
    ["a pod of a strange service name", { service: "a/b" }, "refused", /app\.kubernetes\.io\/name/],
    ["a pod that claims another zone", { zone: "wallet" }, "refused", /"wallet", but its namespace belongs to ops/],
    ["a pod that runs as someone else", { serviceAccount: "prometheus" }, "refused", /service account "prometheus"/],
  ];
  for (const [what, options, kind, reason] of cases) {
    it(`${what}: ${kind}`, () => {
      const assessment = assess(parsePod(podObject("pod-1", options)), "ops");
      assert.equal(assessment.kind, kind);
      if (assessment.kind !== "present") {
        assert.match(assessment.reason, reason ?? /^$/);
      }
    });
  }

  it("registers id, service, address, port, tags and readiness", () => {
    const assessment = assess(
      parsePod(podObject("admin-ui-5d-x2", { version: "2.1.0", address: "10.244.0.9" })),
      "ops",
    );
    assert.equal(assessment.kind, "present");
    assert.deepEqual(entryOf(assessment.registration), {
      node: "lucid-ops-admin-ui-5d-x2",
      address: "10.244.0.9",
      meta: { "lucid-controller": "true", "lucid-zone": "ops", "lucid-pod-uid": "uid-of-admin-ui-5d-x2" },
      services: [
        {
          id: "admin-ui-5d-x2",
          service: "admin-ui",
          address: "10.244.0.9",
          port: 15001,
          tags: ["zone=ops", "version=2.1.0", "instance=admin-ui-5d-x2"],
        },
      ],
      checks: [
        {
          id: "admin-ui-5d-x2:ready",
          name: "Readiness of the pod",
          status: "passing",
          serviceId: "admin-ui-5d-x2",
        },
      ],
    });
  });

  for (const [version, expected] of [
    ["canary", ["v-canary"]],
    ["v1-4", ["v-v1-4"]],
    ["a".repeat(15), [`v-${"a".repeat(15)}`]],
    ["a".repeat(16), []],
    ["2.1.0", []],
    ["Canary", []],
    ["-a", []],
    ["", []],
  ] as const) {
    it(`a version named ${JSON.stringify(version)} has ${expected.length === 0 ? "no tag" : "the tag"} by which DNS knows it`, () => {
      const assessment = assess(parsePod(podObject("p", { version })), "ops");
      assert.equal(assessment.kind, "present");
      const tags = entryOf(assessment.registration).services[0]?.tags ?? [];
      assert.deepEqual(
        tags.filter((tag) => tag.startsWith("v-")),
        expected,
      );
    });
  }

  it("a pod that runs to completion is no instance of its service; the same without the label is one", () => {
    const pod = parsePod(podObject("job-1"));
    assert.equal(assess(pod, "ops").kind, "present");
    const labels = { ...pod.labels, "lucid.internal/completes": "true" };
    assert.equal(assess({ ...pod, labels }, "ops").kind, "absent");
  });

  it("a pod that is not ready is registered as critical, one without readiness too", () => {
    for (const object of [podObject("p", { ready: false }), { ...podObject("p"), status: { podIP: "10.244.0.1" } }]) {
      const assessment = assess(parsePod(object), "ops");
      assert.equal(assessment.kind, "present");
      assert.equal(entryOf(assessment.registration).checks[0]?.status, "critical");
    }
  });

  it("node names lead back to their pods, zone by zone", () => {
    assert.equal(podOf("ops", nodeName("ops", "admin-ui-1")), "admin-ui-1");
    assert.equal(podOf("chain", nodeName("ops", "admin-ui-1")), undefined);
    assert.equal(podOf("ops", "consul-server-0"), undefined);
    assert.equal(podOf("ops", "lucid-ops-"), undefined);
  });

  it("what is no pod is refused, not registered", () => {
    for (const object of [undefined, null, {}, { metadata: {} }, { metadata: { name: "p" } }]) {
      assert.throws(() => parsePod(object));
    }
  });
});
