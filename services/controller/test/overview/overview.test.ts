import assert from "node:assert/strict";
import type { EnforcementOverview, State } from "../../../../mesh/overview/model.js";
import { StateHistory } from "../../src/overview/history.js";
import { MeshOverview } from "../../src/overview/overview.js";
import { edgeKey, type Traffic } from "../../src/overview/traffic.js";

type Parts = ConstructorParameters<typeof MeshOverview>;
type Seen = Parts[1]["seen"];
type SeenAlerts = Parts[1]["alerts"];

const NOW = Date.parse("2026-06-01T12:00:00Z");
const MINUTE = 60_000;
const OBSERVED = { requestsPerSecond: 1, failuresPerSecond: 0, connectionsPerSecond: 0, connectFailuresPerSecond: 0 };
const STRAY = { from: "admin-ui", to: "tron-payment", port: "http", observed: { ...OBSERVED, p50: null, p99: null } };

const traffic = (changes: Partial<Traffic> = {}): Traffic => ({
  edges: new Map(),
  refusedCalls: [],
  refusedPeers: [],
  reached: 3,
  unreached: [],
  enforcement: { enforced: { network: 3, sidecar: 3 }, letIn: [], blind: [] },
  ...changes,
});
const OPEN = { layer: "network", node: "node-1", pods: 2 } as const;
const found = (what: Partial<EnforcementOverview>): EnforcementOverview => ({
  enforced: { network: 1, sidecar: 3 },
  letIn: [],
  blind: [],
  ...what,
});
const fresh = (of: Traffic): Seen => ({ state: "fresh", time: NOW, value: of, error: undefined });

/** An empty mesh of one zone, of which everything is seen. */
function world(changes: { leader?: string | undefined; dead?: string[]; seen?: Seen; alerts?: SeenAlerts } = {}) {
  const state = {
    leader: "one" as string | undefined,
    dead: [] as string[],
    seen: fresh(traffic()),
    alerts: { state: "fresh", time: NOW, value: { rules: 36, broken: [], pending: 0, firing: [] }, error: undefined },
    ...changes,
  };
  const view = {
    name: "ops",
    isAwaited: false,
    pods: { namespace: "lucid-ops", synced: true, services: () => [] },
    refusals: () => new Map<string, string>(),
  };
  const parts = {
    views: {
      zones: [view],
      services: [{ namespace: "lucid-ops", synced: true, all: () => [] }],
      leases: { dead: () => state.dead },
    },
    elector: {
      identity: "one",
      get leader() {
        return state.leader;
      },
    },
  } as unknown as Parts[0];
  const prometheus = {
    get seen() {
      return state.seen;
    },
    get alerts() {
      return state.alerts as SeenAlerts;
    },
  };
  const history = new StateHistory();
  return { state, history, overview: new MeshOverview(parts, prometheus, history) };
}

describe("overview", () => {
  it("is well where nothing is wrong", () => {
    const { mesh, connectivity, enforcement } = world().overview.at(NOW);
    assert.equal(mesh.state, "well");
    assert.deepEqual(connectivity.sidecars, { reached: 3, unreached: [] });
    assert.deepEqual(enforcement, { enforced: { network: 3, sidecar: 3 }, letIn: [], blind: [] });
  });

  const cases: readonly [title: string, changes: Parameters<typeof world>[0], state: State, check: string][] = [
    ["no replica leads", { leader: undefined }, "degraded", "leader"],
    ["a node is dead", { dead: ["node-2"] }, "degraded", "nodes"],
    [
      "Prometheus gave no answer yet",
      { seen: { state: "never", time: undefined, value: undefined, error: undefined } },
      "unknown",
      "traffic",
    ],
    [
      "Prometheus' last answer is old",
      { seen: { state: "stale", time: NOW, value: undefined, error: new Error("refused") } },
      "unknown",
      "traffic",
    ],
    [
      "pods let in whom they must not",
      { seen: fresh(traffic({ enforcement: found({ letIn: [OPEN], blind: [OPEN] }) })) },
      "failing",
      "enforcement",
    ],
    [
      "of pods nobody knows whether they do",
      { seen: fresh(traffic({ enforcement: found({ blind: [OPEN] }) })) },
      "unknown",
      "enforcement",
    ],
    ["a sidecar is not reached", { seen: fresh(traffic({ unreached: ["admin-ui-1"] })) }, "degraded", "sidecars"],
  ];
  for (const [title, changes, state, check] of cases) {
    it(`is ${state} where ${title}`, () => {
      const { mesh } = world(changes).overview.at(NOW);
      assert.equal(mesh.state, state);
      assert.ok(mesh.findings.some((one) => one.check === check && one.state === state));
    });
  }

  it("tells what fires, at most 200 of it, and makes no state of that", () => {
    const firing = Array.from({ length: 250 }, (_, index) => ({
      name: "LucidEnforcementLost",
      severity: "critical" as const,
      since: "2026-06-01T11:00:00.000Z",
      summary: `the ${String(index)}th`,
      runbook: "docs/runbooks/enforcement.md#lucidenforcementlost",
      labels: { zone: "ops" },
    }));
    const broken = [{ name: "LucidDrift", error: "many-to-many matching not allowed" }];
    const value = { rules: 36, broken, pending: 2, firing };
    const { mesh, alerts } = world({ alerts: { state: "fresh", time: NOW, value, error: undefined } }).overview.at(NOW);
    assert.equal(mesh.state, "well");
    assert.deepEqual([alerts.state, alerts.rules, alerts.pending, alerts.total], ["fresh", 36, 2, 250]);
    assert.deepEqual(alerts.firing, firing.slice(0, 200));
    assert.deepEqual(alerts.broken, broken);
  });

  it("does not say that nothing fires where that isn't known", () => {
    const alerts: SeenAlerts = { state: "never", time: undefined, value: undefined, error: new Error("answers 403") };
    const told = world({ alerts }).overview.at(NOW).alerts;
    assert.deepEqual([told.state, told.asOf, told.error, told.firing], ["never", null, "answers 403", []]);
  });

  it("is well where nobody was to ask Prometheus", () => {
    const seen: Seen = { state: "off", time: undefined, value: undefined, error: undefined };
    assert.equal(world({ seen }).overview.at(NOW).mesh.state, "well");
  });

  it("is failing once calls past the declarations last longer than what was taken back is counted", () => {
    const { state, overview } = world();
    const stray = fresh(traffic({ edges: new Map([[edgeKey("admin-ui", "tron-payment", "http"), STRAY]]) }));
    state.seen = stray;
    const first = overview.at(NOW);
    assert.equal(first.mesh.state, "well");
    assert.deepEqual(
      first.violations.first.map(({ kind, message }) => [kind, message]),
      [["edge", "admin-ui calls http of tron-payment, which no declaration has"]],
    );
    assert.equal(overview.at(NOW + 9 * MINUTE).mesh.state, "well");
    assert.equal(overview.at(NOW + 11 * MINUTE).mesh.state, "failing");
    // What is gone and comes back begins anew.
    state.seen = fresh(traffic());
    assert.equal(overview.at(NOW + 12 * MINUTE).mesh.state, "well");
    state.seen = stray;
    assert.equal(overview.at(NOW + 13 * MINUTE).mesh.state, "well");
  });

  it("tells of calls and peers that were refused, and is well: they were refused", () => {
    const refusal = { zone: "wallet" as const, service: "tron-payment", perSecond: 0.5 };
    const { mesh, violations } = world({
      seen: fresh(
        traffic({ refusedCalls: [{ ...refusal, port: "http", callerZone: "ops" }], refusedPeers: [refusal] }),
      ),
    }).overview.at(NOW);
    assert.equal(mesh.state, "well");
    assert.deepEqual(
      violations.first.map(({ message }) => message),
      [
        "tron-payment refuses calls of zone ops to http: 30 a minute",
        "tron-payment refuses certificates of peers: 30 a minute",
      ],
    );
  });

  it("is made once a second at most", () => {
    const { state, overview } = world();
    const first = overview.at(NOW);
    state.leader = undefined;
    assert.equal(overview.at(NOW + 900), first);
    assert.equal(overview.at(NOW + 1_100).mesh.state, "degraded");
  });

  it("is remembered for the mesh and its zones", () => {
    const { state, history, overview } = world();
    overview.sample(NOW);
    state.leader = undefined;
    overview.sample(NOW + MINUTE);
    assert.deepEqual(history.of("mesh")?.shares, { well: 0.5, unknown: 0, degraded: 0.5, failing: 0 });
    assert.equal(history.of("zone/ops")?.shares.well, 1);
  });
});
