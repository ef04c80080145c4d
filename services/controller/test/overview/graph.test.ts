import assert from "node:assert/strict";
import { calleeFindings, graphOf, type GraphNode } from "../../src/overview/graph.js";
import {
  QUERIES,
  parseAnswer,
  trafficOf,
  type Question,
  type Sample,
  type Traffic,
} from "../../src/overview/traffic.js";

const series = (value: number, labels: Record<string, string>): Sample => ({ labels, value });
const edge = (value: number, service = "admin-ui", lucid_callee = "lucid-blocks") =>
  series(value, { service, lucid_callee, lucid_callee_port: "http" });
const seen = (answers: Partial<Record<Question, readonly Sample[]>>): Traffic => {
  const none = Object.fromEntries(Object.keys(QUERIES).map((question) => [question, []]));
  return trafficOf({ ...none, ...answers } as Record<Question, readonly Sample[]>);
};
const NODES: readonly GraphNode[] = [
  {
    zone: "ops",
    service: {
      name: "admin-ui",
      calls: [{ service: "lucid-blocks", zone: "chain", port: "http", kind: "call", reason: "Operators watch" }],
    },
  },
  { zone: "chain", service: { name: "lucid-blocks", calls: [] } },
];
const first = (traffic: Traffic | undefined) => {
  const [found] = graphOf(NODES, traffic);
  assert.ok(found);
  return found;
};

describe("graph of calls", () => {
  it("has every declared edge, of which nothing is known where nobody looked", () => {
    assert.deepEqual(graphOf(NODES, undefined), [
      {
        from: "admin-ui",
        to: "lucid-blocks",
        port: "http",
        kind: "call",
        crossesZones: true,
        reason: "Operators watch",
        state: "unknown",
        observed: null,
      },
    ]);
  });

  it("is coloured by what fails", () => {
    assert.equal(first(seen({ requests: [edge(0)] })).state, "idle");
    assert.equal(first(seen({ requests: [edge(10)], failures: [edge(0.4)] })).state, "well");
    assert.equal(first(seen({ requests: [edge(10)], failures: [edge(0.5)] })).state, "degraded");
    assert.equal(first(seen({ requests: [edge(10)], failures: [edge(5)] })).state, "failing");
    assert.equal(first(seen({ connections: [edge(4)], connectFailures: [edge(1)] })).state, "degraded");
    assert.equal(first(seen({ connections: [edge(4)], connectFailures: [edge(4)] })).state, "failing");
  });

  it("has latencies where there were requests", () => {
    const { observed } = first(seen({ requests: [edge(2)], p50: [edge(1.5)], p99: [edge(Number.NaN)] }));
    assert.deepEqual([observed?.requestsPerSecond, observed?.p50, observed?.p99], [2, 1.5, null]);
  });

  it("shows what is seen past the declarations, and not what is only counted at nought", () => {
    const traffic = seen({ requests: [edge(1, "lucid-blocks", "admin-ui"), edge(0, "lucid-blocks", "tron-payment")] });
    const found = graphOf(NODES, traffic).filter(({ kind }) => kind === "undeclared");
    assert.deepEqual(
      found.map(({ from, to, crossesZones }) => [from, to, crossesZones]),
      [["lucid-blocks", "admin-ui", true]],
    );
  });

  it("tells of a callee whose callers fail", () => {
    const findings = calleeFindings(graphOf(NODES, seen({ requests: [edge(10)], failures: [edge(5)] })));
    assert.deepEqual(findings.get("lucid-blocks"), [
      { check: "traffic", state: "degraded", message: "calls of admin-ui to http fail: 50 % of requests" },
    ]);
    assert.equal(calleeFindings(graphOf(NODES, seen({ requests: [edge(10)] }))).size, 0);
  });
});

describe("what Prometheus says", () => {
  const answer = (result: unknown) => ({ status: "success", data: { resultType: "vector", result } });

  it("is read series by series", () => {
    assert.deepEqual(parseAnswer(answer([{ metric: { service: "a" }, value: [1, "2.5"] }])), [
      { labels: { service: "a" }, value: 2.5 },
    ]);
  });

  for (const [title, wrong] of [
    ["an error", { status: "error", errorType: "bad_data", error: "parse error" }],
    ["a matrix", { status: "success", data: { resultType: "matrix", result: [] } }],
    ["no answer of its kind", { hello: "world" }],
    ["more than a mesh has", answer(Array.from({ length: 20_001 }, () => ({ metric: {}, value: [1, "1"] })))],
  ] as const) {
    it(`is refused where it is ${title}`, () => {
      assert.throws(() => parseAnswer(wrong));
    });
  }

  it("names nothing that is no name", () => {
    const hostile = '<script>alert("x")</script>';
    const traffic = seen({
      requests: [edge(1, hostile), edge(1, "admin-ui", hostile), edge(1, "admin-ui", "a".repeat(64))],
      refusedCalls: [series(1, { service: hostile, zone: "ops" })],
      unreached: [series(0, { pod: hostile }), series(0, { pod: "admin-ui-1" })],
    });
    assert.equal(traffic.edges.size, 0);
    assert.deepEqual(traffic.refusedCalls, []);
    assert.deepEqual(traffic.unreached, ["admin-ui-1"]);
  });

  it("has what the live canary found, by node and layer, and nothing where it found nothing", () => {
    const found = (layer: string, outcome: string, node: string, pods: number) =>
      series(pods, { layer, outcome, node });
    assert.equal(seen({}).enforcement, null);
    assert.deepEqual(
      seen({
        enforcement: [
          found("network", "enforced", "node-1", 3),
          found("network", "enforced", "node-2", 2),
          found("network", "let-in", "node-2", 1),
          found("network", "blind", "node-1", 0),
          found("sidecar", "enforced", "node-1", 3),
          found("sidecar", "blind", "node-2", 3),
          found("sidecar", "let-in", "<b>", 3),
          found("another", "let-in", "node-1", 3),
        ],
      }).enforcement,
      {
        enforced: { network: 5, sidecar: 3 },
        letIn: [{ layer: "network", node: "node-2", pods: 1 }],
        blind: [{ layer: "sidecar", node: "node-2", pods: 3 }],
      },
    );
  });

  it("has a zone only where there is such a zone", () => {
    const labels = { service: "lucid-blocks", lucid_port: "http", lucid_caller_zone: "ops" };
    const { refusedCalls } = seen({
      refusedCalls: [series(2, { ...labels, zone: "chain" }), series(2, { ...labels, zone: "nowhere" })],
    });
    const refusal = { service: "lucid-blocks", port: "http", callerZone: "ops", perSecond: 2 };
    assert.deepEqual(refusedCalls, [
      { zone: "chain", ...refusal },
      { zone: null, ...refusal },
    ]);
  });
});
