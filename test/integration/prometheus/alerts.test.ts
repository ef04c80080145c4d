/** The mesh's jobs and rules in a real Prometheus: what it takes from whom, and what fires and is over. */
import assert from "node:assert/strict";
import { alertGroups } from "../../../components/observability/alerts";
import { createLog } from "../../../services/controller/src/log";
import { PrometheusView } from "../../../services/controller/src/overview/prometheus";
import { selectorsOf } from "../../unit/components/alerts/selectors";
import { lucid } from "../../unit/proof/lucid";
import { eventually } from "../support/eventually";
import { PrometheusLab, type Series } from "./lab";

const SECONDS = 30;
const CONTROLLER = "mesh-controller-0";
const STRANGER = "payout-router-0";

describe("Prometheus with the mesh's jobs and rules", function () {
  this.timeout(120_000);
  let lab: PrometheusLab;
  let view: PrometheusView;
  const stop = new AbortController();
  let running: Promise<void>;

  before(async () => {
    lab = await PrometheusLab.start(lucid, [
      { zone: "mesh", service: "mesh-controller", pod: CONTROLLER, tells: true },
      { zone: "wallet", service: "payout-router", pod: STRANGER, tells: false },
      // One that tells, so that a zone's job for applications is asked of it alone.
      { zone: "ops", service: "prometheus", pod: "prometheus-0", tells: true },
      { zone: "ops", service: "admin-ui", pod: "admin-ui-0", tells: false },
    ]);
    for (const pod of [CONTROLLER, STRANGER, "prometheus-0", "admin-ui-0"]) lab.sidecar(pod, "envoy_server_live 1");
    lab.application("prometheus-0", "prometheus_ready 1");
    // Nobody is to ask it.
    lab.application("admin-ui-0", "asked 1");
    well();
    view = new PrometheusView(
      lab.url,
      createLog("error", () => undefined),
      { interval: 500 },
    );
    running = view.run(stop.signal);
    await eventually(
      "both scrapes",
      async () => {
        assert.equal((await lab.query('up{job=~"applications-.+"} == 1')).length, 2);
        assert.equal((await lab.query('up{job="sidecars-ops"} == 1')).length, 2);
      },
      SECONDS,
    );
  });
  after(async () => {
    stop.abort();
    await running;
    await lab.stop();
  });

  const well = (...more: readonly string[]) => {
    lab.application(CONTROLLER, "lucid_controller_leading 1", "lucid_controller_nodes_dead 0", ...more);
  };
  const drift = (count: number) => `lucid_controller_drift{zone="wallet",class="enforcement"} ${String(count)}`;
  const labelsOf = async (alert: string) =>
    ((await lab.rule(alert))?.alerts ?? []).filter(({ state }) => state === "firing").map(({ labels }) => labels);
  const targets = (series: readonly Series[]) =>
    series.map(({ metric }) => `${metric.job ?? ""} ${metric.pod ?? ""}`).sort();

  it("loads every rule, and can evaluate it", async () => {
    await eventually(
      "the first evaluation",
      async () => {
        const rules = await lab.rules();
        assert.ok(rules.length > 30);
        assert.deepEqual(
          rules.filter(({ health }) => health !== "ok"),
          [],
        );
      },
      SECONDS,
    );
  });

  it("counts of itself what rules ask it for", async () => {
    const exposition = await (await fetch(new URL("/metrics", lab.url))).text();
    const asked = alertGroups(lucid, { certValidityDays: 90 })
      .flatMap(({ rules }) => rules)
      .flatMap(({ expression }) => selectorsOf(expression))
      .flatMap(({ names }) => names.filter((name) => name.startsWith("prometheus_")));
    assert.ok(asked.length >= 2);
    for (const name of asked) assert.match(exposition, new RegExp(`^${name}[ {]`, "m"));
  });

  it("asks the applications of which the controller says that they tell something, and no other", async () => {
    assert.deepEqual(targets(await lab.query('up{job=~"applications-.+"}')), [
      `applications-mesh ${CONTROLLER}`,
      "applications-ops prometheus-0",
    ]);
    assert.deepEqual(await lab.query("asked"), []);
    const [up] = await lab.query('up{job="applications-mesh"}');
    assert.ok(!Object.keys(up?.metric ?? {}).some((label) => label.startsWith("__meta")));
  });

  it("fires at once where enforcement is lost, tells the controller so, and is over when it is", async () => {
    assert.deepEqual(await labelsOf("LucidEnforcementLost"), []);
    well(drift(1));
    await eventually(
      "the alert",
      async () => {
        assert.deepEqual(await labelsOf("LucidEnforcementLost"), [
          { alertname: "LucidEnforcementLost", severity: "critical", zone: "wallet", class: "enforcement" },
        ]);
        const [first] = view.alerts.value?.firing ?? [];
        assert.equal(first?.name, "LucidEnforcementLost");
        assert.equal(
          first.summary,
          "In wallet something runs that nothing holds back, or somebody may do more at the discovery backend than is declared (1)",
        );
        assert.equal(first.runbook, "docs/runbooks/enforcement.md#lucidenforcementlost");
        assert.deepEqual(first.labels, { zone: "wallet", class: "enforcement" });
      },
      SECONDS,
    );
    well(drift(0));
    await eventually(
      "its end",
      async () => {
        assert.deepEqual(await labelsOf("LucidEnforcementLost"), []);
        assert.ok(!view.alerts.value?.firing.some(({ name }) => name === "LucidEnforcementLost"));
      },
      SECONDS,
    );
  });

  it("believes of nobody but the controller that enforcement is lost, whatever it calls itself", async () => {
    lab.application(
      "prometheus-0",
      'lucid_controller_drift{job="applications-mesh",service="mesh-controller",zone="wallet",class="enforcement"} 1',
    );
    await eventually(
      "the scrape",
      async () => {
        const [forged] = await lab.query('lucid_controller_drift{service="prometheus"} == 1');
        assert.deepEqual(
          [forged?.metric.job, forged?.metric.service, forged?.metric.zone, forged?.metric.exported_service],
          ["applications-ops", "prometheus", "ops", "mesh-controller"],
        );
      },
      SECONDS,
    );
    const scraped = Date.now();
    await eventually(
      "an evaluation after it",
      async () => {
        const { lastEvaluation = "" } = (await lab.rule("LucidEnforcementLost")) ?? {};
        assert.ok(Date.parse(lastEvaluation) > scraped);
      },
      SECONDS,
    );
    assert.deepEqual(await labelsOf("LucidEnforcementLost"), []);
  });

  it("takes no alert, and no time, from an application", async () => {
    const future = String(Date.now() + 3_600_000);
    lab.application(
      "prometheus-0",
      'ALERTS{alertname="LucidEnforcementLost",alertstate="firing"} 1',
      'ALERTS_FOR_STATE{alertname="LucidDrift"} 1',
      `of_tomorrow 1 ${future}`,
      "after_it 1",
    );
    await eventually(
      "the scrape",
      async () => {
        assert.equal((await lab.query("after_it")).length, 1);
      },
      SECONDS,
    );
    assert.equal((await lab.query("of_tomorrow")).length, 1, "it is of the time at which it was scraped");
    assert.deepEqual(await lab.query('{__name__=~"ALERTS.*", job!=""}'), []);
  });

  it("takes nothing of an application that tells more than it may", async () => {
    lab.application("prometheus-0", ...Array.from({ length: 20_001 }, (_, index) => `many{n="${String(index)}"} 1`));
    await eventually(
      "the refusal",
      async () => {
        assert.deepEqual(targets(await lab.query('up{job=~"applications-.+"} == 0')), [
          "applications-ops prometheus-0",
        ]);
      },
      SECONDS,
    );
    assert.deepEqual(await lab.query("count(many)"), []);
    lab.application("prometheus-0", "prometheus_ready 1");
    await eventually(
      "its return",
      async () => {
        assert.deepEqual(await lab.query('up{job=~"applications-.+"} == 0'), []);
      },
      SECONDS,
    );
  });
});
