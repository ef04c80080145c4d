import assert from "node:assert/strict";
import type { Condition, MeshServiceStatus } from "../../../../mesh/custom-resource/index.js";
import { worst, type State } from "../../../../mesh/overview/model.js";
import { countStates, serviceHealth } from "../../src/overview/health.js";
import type { DeclaredService } from "../../src/services/resource.js";

const NOW = Date.parse("2026-06-01T12:00:00Z");

const condition = (type: string, status: Condition["status"], reason: string, minutesAgo = 60): Condition => ({
  type,
  status,
  reason,
  observedGeneration: 3,
  lastTransitionTime: new Date(NOW - minutesAgo * 60_000).toISOString(),
  message: `${type} is ${status}`,
});
const WELL = [
  condition("Ready", "True", "InstancesReady"),
  condition("Registered", "True", "InstancesRegistered"),
  condition("Distributed", "True", "PodsTold"),
];
const status = (...others: readonly Condition[]): MeshServiceStatus => ({
  observedGeneration: 3,
  instances: { present: 2, ready: 2, registered: 2 },
  certificate: { notAfter: "2026-08-01T12:00:00Z" },
  conditions: [...WELL.filter(({ type }) => others.every((other) => other.type !== type)), ...others],
});
const service = (changes: Partial<DeclaredService> = {}): DeclaredService => ({
  name: "admin-ui",
  version: "7",
  generation: 3,
  workload: { kind: "application", replicas: 2 },
  calls: [],
  tellsMetrics: false,
  status: status(),
  ...changes,
});
const health = (changes?: Partial<DeclaredService>) => serviceHealth("ops", service(changes), NOW);

describe("health of a service", () => {
  it("is well with a certificate of a day, as long as its issuer makes it anew in time", () => {
    const certificate = { notAfter: "2026-06-01T20:00:00Z", renewal: "2026-06-01T11:51:00Z" };
    assert.equal(health({ status: { ...status(), certificate } }).state, "well");
    assert.equal(
      health({ status: { ...status(), certificate: { notAfter: certificate.notAfter } } }).state,
      "degraded",
    );
  });

  it("is well where all conditions hold and the certificate lasts", () => {
    const { state, findings, certificate, drift, instances } = health();
    assert.equal(state, "well");
    assert.deepEqual(
      findings.map(({ check }) => check),
      ["ready", "registered", "distributed", "certificate"],
    );
    assert.deepEqual(certificate, { notAfter: "2026-08-01T12:00:00Z", secondsLeft: 61 * 86_400 });
    assert.deepEqual(instances, { declared: 2, present: 2, ready: 2, registered: 2 });
    assert.equal(drift, "not compared");
  });

  const cases: readonly [title: string, changes: Partial<DeclaredService>, state: State, check: string][] = [
    ["nothing was said", { status: undefined }, "unknown", "ready"],
    ["what was said is of an older declaration", { generation: 4 }, "unknown", "observed"],
    [
      "an instance is missing",
      { status: status(condition("Ready", "False", "InstancesMissing")) },
      "degraded",
      "ready",
    ],
    ["none is ready", { status: status(condition("Ready", "False", "NoInstances")) }, "failing", "ready"],
    [
      "callers don't find it",
      { status: status(condition("Registered", "False", "NotRegistered")) },
      "degraded",
      "registered",
    ],
    [
      "the backend can't be read",
      { status: status(condition("Registered", "Unknown", "RegistryUnreadable")) },
      "unknown",
      "registered",
    ],
    [
      "sidecars were not told for long",
      { status: status(condition("Distributed", "False", "PodsNotTold", 3)) },
      "degraded",
      "distributed",
    ],
    [
      "its certificate ends soon",
      { status: { ...status(), certificate: { notAfter: "2026-06-03T12:00:00Z" } } },
      "degraded",
      "certificate",
    ],
    [
      "its issuer did not make its certificate anew",
      {
        status: {
          ...status(),
          certificate: { notAfter: "2026-06-01T19:00:00Z", renewal: "2026-06-01T11:49:00Z" },
        },
      },
      "degraded",
      "certificate",
    ],
    [
      "its certificate has ended",
      { status: { ...status(), certificate: { notAfter: "2026-06-01T11:59:59Z" } } },
      "failing",
      "certificate",
    ],
    ["it has drifted", { status: status(condition("Drifted", "True", "Changed")) }, "degraded", "drift"],
    ["it is revoked and runs", { revoked: "its key leaked" }, "failing", "ready"],
  ];
  for (const [title, changes, state, check] of cases) {
    it(`is ${state} where ${title}`, () => {
      const found = health(changes);
      assert.equal(found.state, state);
      assert.ok(
        found.findings.some((one) => one.check === check && one.state === state),
        JSON.stringify(found.findings),
      );
    });
  }

  it("is well while sidecars are just being told", () => {
    assert.equal(health({ status: status(condition("Distributed", "False", "PodsNotTold", 1)) }).state, "well");
  });

  it("is well of a job, and of what is revoked and gone", () => {
    const job = status(
      condition("Ready", "Unknown", "RunsToCompletion"),
      condition("Registered", "Unknown", "RunsToCompletion"),
    );
    assert.equal(health({ workload: { kind: "job" }, status: job }).state, "well");
    const gone = status(condition("Ready", "False", "Revoked"), condition("Registered", "False", "Revoked"));
    const revoked = { ...gone, instances: { present: 0, ready: 0, registered: 0 } };
    assert.equal(health({ revoked: "its key leaked", status: revoked }).state, "well");
  });

  it("says by the condition whether anybody compared", () => {
    assert.equal(health({ status: status(condition("Drifted", "False", "AsDeclared")) }).drift, "none");
    assert.equal(health({ status: status(condition("Drifted", "True", "Changed")) }).drift, "found");
    assert.equal(health({ status: status(condition("Drifted", "Unknown", "NotRead")) }).drift, "not compared");
  });

  it("adds up to the worst, and is counted", () => {
    assert.equal(worst([]), "well");
    assert.equal(worst(["well", "failing", "unknown", "degraded"]), "failing");
    assert.equal(worst(["unknown", "degraded"]), "degraded");
    assert.deepEqual(countStates([{ state: "well" }, { state: "well" }, { state: "failing" }]), {
      well: 2,
      unknown: 0,
      degraded: 0,
      failing: 1,
    });
  });
});
