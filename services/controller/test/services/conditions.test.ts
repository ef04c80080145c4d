import assert from "node:assert/strict";
import type { Condition } from "../../../../mesh/custom-resource/index.js";
import { meshServiceStatus } from "../../../../mesh/custom-resource/index.js";
import type { Registration } from "../../src/registry/registration.js";
import { saysTheSame, statusOf, type ServiceFacts } from "../../src/services/conditions.js";
import type { DeclaredService } from "../../src/services/resource.js";

const NOW = "2026-06-01T00:00:00Z";
const LATER = "2026-06-01T00:05:00Z";

const instance = (pod: string, ready = true): Registration => ({
  zone: "ops",
  pod,
  uid: `uid-of-${pod}`,
  service: "admin-ui",
  address: "10.244.0.7",
  version: "1.0.0",
  ready,
});
const two: DeclaredService = {
  name: "admin-ui",
  version: "7",
  generation: 3,
  workload: { kind: "application", replicas: 2 },
  calls: [],
  tellsMetrics: false,
  status: undefined,
};
const well: ServiceFacts = {
  instances: [instance("a"), instance("b")],
  refused: new Map(),
  isRegistered: () => true,
  untold: [],
  drift: [],
  certificateEnd: "2027-01-01T00:00:00Z",
  certificateRenewal: undefined,
};

const said = (service: DeclaredService, facts: ServiceFacts, now = NOW): Record<string, string> =>
  Object.fromEntries(
    (statusOf(service, facts, now).conditions ?? []).map(({ type, status, reason, message }) => [
      type,
      `${status} ${reason}: ${message}`,
    ]),
  );
const condition = (service: DeclaredService, facts: ServiceFacts, type: string, now = NOW): Condition => {
  const found = statusOf(service, facts, now).conditions?.find((one) => one.type === type);
  assert.ok(found !== undefined, type);
  return found;
};

describe("controller: what is said of a service", () => {
  it("that runs as declared", () => {
    assert.deepEqual(statusOf(two, well, NOW), {
      observedGeneration: 3,
      instances: { present: 2, ready: 2, registered: 2 },
      certificate: { notAfter: "2027-01-01T00:00:00Z" },
      conditions: [
        ["Ready", "True", "InstancesReady", "2 of 2 instances are ready"],
        ["Registered", "True", "InstancesRegistered", "callers find every instance that is ready"],
        ["Distributed", "True", "PodsTold", "every sidecar was told of its present files"],
        ["Drifted", "False", "AsDeclared", "everything of it is as it was declared"],
      ].map(([type, status, reason, message]) => ({
        type,
        status,
        observedGeneration: 3,
        lastTransitionTime: NOW,
        reason,
        message,
      })),
    });
  });

  const CASES: readonly (readonly [
    title: string,
    service: Partial<DeclaredService>,
    facts: Partial<ServiceFacts>,
    expected: Readonly<Record<string, RegExp>>,
  ])[] = [
    [
      "with an instance that is not ready",
      {},
      { instances: [instance("a"), instance("b", false)] },
      { Ready: /^False InstancesMissing: 1 of 2/, Registered: /^True/ },
    ],
    ["without an instance", {}, { instances: [] }, { Ready: /^False NoInstances: 0 of 2/, Registered: /^True/ }],
    [
      "with one more than declared, while it is rolled",
      {},
      { instances: [instance("a"), instance("b"), instance("c", false)] },
      { Ready: /^True InstancesReady: 2 of 2/ },
    ],
    [
      "with instances that callers don't find",
      {},
      { isRegistered: ({ pod }) => pod === "a" },
      { Ready: /^True/, Registered: /^False NotRegistered: callers don't find b$/ },
    ],
    [
      "of a registry that can't be read",
      {},
      { isRegistered: undefined },
      { Ready: /^True/, Registered: /^Unknown RegistryUnreadable/ },
    ],
    [
      "whose name others bear",
      {},
      { refused: new Map([["thief", "it runs as another"]]) },
      { Registered: /^False PodsRefused: pods are refused: thief: it runs as another$/ },
    ],
    [
      "with sidecars that were not told of changed files",
      {},
      { untold: ["b", "a"] },
      { Distributed: /^False PodsNotTold: not yet told of changed files: a, b$/ },
    ],
    ["before its files were listed", {}, { untold: undefined }, { Distributed: /^Unknown NotListed/ }],
    [
      "that ends by itself",
      { workload: { kind: "job" } },
      { instances: [] },
      { Ready: /^Unknown RunsToCompletion/, Registered: /^Unknown RunsToCompletion/ },
    ],
    [
      "that is revoked",
      { revoked: "its key leaked" },
      { instances: [] },
      { Ready: /^False Revoked: the service is revoked: its key leaked$/, Registered: /^False Revoked/ },
    ],
    [
      "that another stack brings, in fewer instances than it may",
      { workload: { kind: "joined", replicas: 5 } },
      {},
      { Ready: /^True InstancesReady: 2 of 2/ },
    ],
    [
      "that another stack is to bring",
      { workload: { kind: "joined", replicas: 5 } },
      { instances: [] },
      { Ready: /^False NoInstances: 0 of 1/ },
    ],
    [
      "that is to have no instance",
      { workload: { kind: "versions", replicas: 0 } },
      { instances: [] },
      { Ready: /^True InstancesReady: 0 of 0/ },
    ],
  ];
  for (const [title, service, facts, expected] of CASES) {
    it(title, () => {
      const declared = { ...two, ...service };
      const found = said(declared, { ...well, ...facts });
      for (const [type, text] of Object.entries(expected)) assert.match(found[type] ?? "", text);
      meshServiceStatus.parse(statusOf(declared, { ...well, ...facts }, NOW));
    });
  }

  it("names a few of many pods", () => {
    const many = Array.from({ length: 200 }, (_, index) => instance(`pod-${String(index).padStart(3, "0")}`));
    const { message } = condition(two, { ...well, instances: many, isRegistered: () => false }, "Registered");
    assert.equal(message, "callers don't find pod-000, pod-001, pod-002, pod-003, pod-004, and 195 more");
  });

  it("keeps the time of a condition that stays, and not of one that turns", () => {
    const before = { ...two, status: statusOf(two, { ...well, untold: ["a"] }, NOW) };
    const facts = { ...well, instances: [instance("a")] };
    assert.equal(condition(before, facts, "Ready", LATER).lastTransitionTime, LATER);
    assert.equal(condition(before, facts, "Registered", LATER).lastTransitionTime, NOW);
    assert.equal(condition(before, facts, "Distributed", LATER).lastTransitionTime, LATER);
    // Another reason is no turn, another generation neither.
    const none = { ...two, generation: 4, status: statusOf(two, { ...well, instances: [instance("a")] }, NOW) };
    const ready = condition(none, { ...well, instances: [] }, "Ready", LATER);
    assert.deepEqual([ready.reason, ready.lastTransitionTime, ready.observedGeneration], ["NoInstances", NOW, 4]);
  });

  it("is the same in whatever order it is written, and whenever it is asked", () => {
    const status = statusOf(two, well, NOW);
    const again = statusOf({ ...two, status }, well, LATER);
    assert.ok(saysTheSame(again, status));
    const turned = Object.fromEntries(Object.entries(status).reverse()) as typeof status;
    assert.ok(saysTheSame(again, turned));
    assert.ok(!saysTheSame(again, undefined));
    assert.ok(!saysTheSame(statusOf({ ...two, generation: 4, status }, well, NOW), status));
    assert.ok(!saysTheSame(statusOf({ ...two, status }, { ...well, certificateEnd: undefined }, NOW), status));
  });

  it("says from when on an issuer makes the certificate anew, where one does", () => {
    const renewal = "2026-12-31T16:00:00Z";
    const status = statusOf(two, { ...well, certificateRenewal: renewal }, NOW);
    assert.deepEqual(status.certificate, { notAfter: "2027-01-01T00:00:00Z", renewal });
    assert.deepEqual(statusOf(two, well, NOW).certificate, { notAfter: "2027-01-01T00:00:00Z" });
    assert.equal(statusOf(two, { ...well, certificateEnd: undefined }, NOW).certificate, undefined);
  });

  it("keeps the number of registered instances while it can't be read", () => {
    const status = statusOf(two, well, NOW);
    assert.equal(statusOf({ ...two, status }, { ...well, isRegistered: undefined }, NOW).instances?.registered, 2);
  });

  it("that is not as it was declared", () => {
    const drift = ["b was removed", "a was changed"];
    assert.equal(said(two, { ...well, drift }).Drifted, "True NotAsDeclared: a was changed; b was removed");
    const unseen = { ...well, drift: "unseen" } as const;
    assert.equal(said(two, unseen).Drifted, "Unknown NotSeen: not all of it could be looked at yet");
    const without = { ...well, drift: undefined };
    assert.equal(said(two, without).Drifted, "Unknown NotCompared: nothing is declared yet to compare it with");
  });
});
