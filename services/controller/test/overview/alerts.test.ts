import assert from "node:assert/strict";
import { alertsOf } from "../../src/overview/alerts.js";

const alert = (labels: Record<string, string>, state = "firing", activeAt = "2026-06-01T13:00:00.123456789+02:00") => ({
  labels: { alertname: "LucidX", ...labels },
  annotations: { summary: "It is so", runbook: "docs/runbooks/x.md#lucidx" },
  state,
  activeAt,
  value: "1e+00",
});
const answer = (...rules: readonly object[]) => ({ status: "success", data: { groups: [{ name: "x", rules }] } });
const rule = (name: string, alerts: readonly object[], more: object = {}) => ({
  type: "alerting",
  name,
  health: "ok",
  alerts,
  ...more,
});

describe("alerts that Prometheus tells of", () => {
  it("are those that fire, with what they are about, and how many wait", () => {
    const told = alertsOf(
      answer(
        rule("LucidX", [alert({ severity: "critical", zone: "ops" }), alert({ severity: "critical" }, "pending")]),
        rule("LucidY", []),
      ),
    );
    assert.deepEqual([told.rules, told.pending, told.broken], [2, 1, []]);
    assert.deepEqual(told.firing, [
      {
        name: "LucidX",
        severity: "critical",
        since: "2026-06-01T11:00:00.123Z",
        summary: "It is so",
        runbook: "docs/runbooks/x.md#lucidx",
        labels: { zone: "ops" },
      },
    ]);
  });

  it("come the worst first, and of those the oldest", () => {
    const of = (severity: string, hour: string) => alert({ severity, hour }, "firing", `2026-06-01T${hour}:00:00Z`);
    const told = alertsOf(
      answer(rule("LucidX", [of("warning", "01"), of("critical", "03"), of("warning", "02"), of("critical", "02")])),
    );
    assert.deepEqual(
      told.firing.map(({ severity, labels }) => `${severity} ${labels.hour ?? ""}`),
      ["critical 02", "critical 03", "warning 01", "warning 02"],
    );
  });

  it("name the rules that can't be evaluated", () => {
    const told = alertsOf(answer(rule("LucidX", [], { health: "err", lastError: "many-to-many" })));
    assert.deepEqual(told.broken, [{ name: "LucidX", error: "many-to-many" }]);
  });

  it("leave out what records, and what is of another rule's kind is a warning", () => {
    const told = alertsOf(
      answer({ type: "recording", name: "a:b", health: "ok" }, rule("LucidX", [alert({ severity: "page" })])),
    );
    assert.deepEqual([told.rules, told.firing[0]?.severity], [1, "warning"]);
  });

  it("say nothing without end", () => {
    const [firing] = alertsOf(answer(rule("LucidX", [alert({ of: "x".repeat(10_000) })]))).firing;
    assert.equal(firing?.labels.of?.length, 500);
  });

  for (const [title, strange] of [
    ["an error", { status: "error", error: "no" }],
    ["an answer to a query", { status: "success", data: { resultType: "vector", result: [] } }],
    ["nothing", undefined],
  ] as const) {
    it(`are not read out of ${title}`, () => {
      assert.throws(() => alertsOf(strange));
    });
  }
});
