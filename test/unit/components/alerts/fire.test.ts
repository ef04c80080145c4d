import assert from "node:assert/strict";
import { alertGroups, alertRulesFile, runbookOf } from "../../../../components/observability/alerts";
import { lucid } from "../../proof/lucid";
import { CASES } from "./cases";
import { growing, lasting, ofApplication, ofController, ofSidecar } from "./past";
import { evaluated, type Expectation } from "./promtool";

const groups = alertGroups(lucid, { certValidityDays: 90 });
const rules = alertRulesFile(groups);
const all = groups.flatMap((group) => group.rules.map((rule) => ({ group, rule })));

/** What an alert says while it fires. */
function firing(alert: string, labels: Readonly<Record<string, string>>, summary: string) {
  const found = all.find(({ rule }) => rule.name === alert) ?? assert.fail(`there is no ${alert}`);
  return {
    labels: { ...labels, severity: found.rule.severity },
    annotations: { summary, runbook: runbookOf(found.group, found.rule) },
  };
}

const quiet = (at: number): Expectation[] => all.map(({ rule }) => ({ alert: rule.name, at }));

describe("alerts, as Prometheus evaluates them", function () {
  this.timeout(60_000);

  it("have a past for each, in which it fires", () => {
    assert.deepEqual([...new Set(CASES.map(({ alert }) => alert))].sort(), all.map(({ rule }) => rule.name).sort());
  });

  for (const { alert, past, quiet: before, fires, over, labels, summary } of CASES) {
    it(`${alert} fires and is over: ${past[0]?.series.split("{")[0] ?? ""}`, () => {
      const expected = [
        { alert, at: before * 60 },
        { alert, at: fires * 60, fires: [firing(alert, labels, summary)] },
        { alert, at: over * 60 },
      ];
      assert.equal(evaluated(rules, past, expected), "");
    });
  }

  it("believe no application that names its metrics as sidecars or the controller name theirs", () => {
    const forged = CASES.filter(({ alert }) => !/Away|Unseen|NothingSeen|MetricsMissing/.test(alert));
    const past = forged.flatMap((one) =>
      one.past.map(({ series, samples }) => ({
        series: series.replace(
          /job="[^"]*", zone="[^"]*", service="[^"]*"/,
          'job="applications-wallet", zone="wallet", service="payout-router"',
        ),
        samples,
      })),
    );
    const seen = [ofController("up", "", lasting([1, 80])), ofSidecar("admin-ui", "up", "", lasting([1, 80]))];
    const unique = [...new Map(past.map((one) => [one.series, one])).values()];
    const times = forged.flatMap(({ fires }) => quiet(fires * 60));
    assert.equal(evaluated(rules, [...unique, ...seen], times), "");
  });

  it("are silent where nothing is wrong", () => {
    const up = [ofController("up", "", lasting([1, 60])), ofSidecar("admin-ui", "up", "", lasting([1, 60]))];
    const past = [
      ...up,
      ofController("lucid_controller_leading", "", lasting([1, 60])),
      ofController("lucid_controller_leading", "", lasting([0, 60]), 1),
      ofController("lucid_controller_drift", 'exported_zone="ops", class="isolation"', lasting([0, 60])),
      ...["enforced", "let-in", "blind"].map((outcome) =>
        ofController(
          "lucid_controller_canary",
          `layer="sidecar", outcome="${outcome}", node="node1"`,
          lasting([outcome === "enforced" ? 3 : 0, 60]),
        ),
      ),
      // The live canary knocks, and is refused.
      ofSidecar(
        "admin-ui",
        "envoy_listener_ssl_fail_verify_no_cert",
        'envoy_listener_address="inspection"',
        growing([1, 60]),
      ),
      // A service that is to have no pods, and one that another stack brings, of which no number is declared.
      ...["declared", "ready", "registered"].map((state) =>
        ofController(
          "lucid_controller_service_instances",
          `exported_zone="ops", exported_service="resting", state="${state}"`,
          lasting([0, 60]),
        ),
      ),
      ...["ready", "registered"].map((state) =>
        ofController(
          "lucid_controller_service_instances",
          `exported_zone="ops", exported_service="joined", state="${state}"`,
          lasting([1, 60]),
        ),
      ),
      // Two requests in five minutes, both of which failed: too few to say anything of a share.
      ofSidecar(
        "admin-ui",
        "envoy_cluster_upstream_rq_completed",
        'lucid_callee="x", lucid_callee_port="http"',
        growing([0.1, 60]),
      ),
      ofSidecar(
        "admin-ui",
        "envoy_cluster_upstream_rq_xx",
        'lucid_callee="x", lucid_callee_port="http", envoy_response_code_class="5"',
        growing([0.1, 60]),
      ),
      ofSidecar(
        "admin-ui",
        "envoy_listener_ssl_certificate_expiration_unix_time_seconds",
        'envoy_tls_certificate="leaf"',
        lasting([30 * 86_400, 60]),
      ),
      ofApplication("prometheus", "ops", "prometheus_rule_evaluation_failures_total", "", growing([0, 60])),
    ];
    assert.equal(evaluated(rules, past, [...quiet(1_200), ...quiet(3_300)]), "");
  });

  it("take no look at ACLs for a registration, were it slow or without an answer", () => {
    const requests = "lucid_controller_registry_request_duration_seconds";
    const look = (part: string, labels: string) =>
      ofController(`${requests}_${part}`, `exported_zone="none", ${labels}`, growing([1, 60]));
    const past = [
      look("count", 'status="error"'),
      ...["2.5", "+Inf"].map((le) => look("bucket", `status="200", le="${le}"`)),
      ofController(`${requests}_bucket`, 'exported_zone="none", status="200", le="1"', growing([0, 60])),
    ];
    const alerts = ["LucidRegistryAway", "LucidRegistrationSlow"];
    const expected = alerts.flatMap((alert): Expectation[] => [1_200, 3_300].map((at) => ({ alert, at })));
    assert.equal(evaluated(rules, past, expected), "");
  });

  it("leave a Consul that is restored from a snapshot its time: until then nobody's token is known there", () => {
    const refused = ofController(
      "lucid_controller_failures_total",
      'exported_zone="none", operation="drift"',
      growing([0, 5], [1, 5], [0, 20]),
    );
    const times = Array.from({ length: 28 }, (_, minute): Expectation => ({
      alert: "LucidControllerFailing",
      at: (minute + 1) * 60,
    }));
    assert.equal(evaluated(rules, [refused], times), "");
  });

  it("scale with the life of certificates, so that one that lives a day is not always near its end", () => {
    const ofADay = alertRulesFile(alertGroups(lucid, { certValidityDays: 1 }));
    const left = (hours: number) => [
      ofSidecar(
        "admin-ui",
        "envoy_listener_ssl_certificate_expiration_unix_time_seconds",
        'envoy_tls_certificate="leaf"',
        lasting([hours * 3600, 20]),
      ),
    ];
    const soon = (hours: number, fires: boolean): Expectation[] => [
      {
        alert: "LucidCertificateEndsSoon",
        at: 600,
        ...(fires
          ? {
              fires: [
                firing(
                  "LucidCertificateEndsSoon",
                  { zone: "ops", service: "admin-ui", pod: "admin-ui-0" },
                  `The certificate of admin-ui-0 ends in ${String(hours - 1)}h 50m 0s`,
                ),
              ],
            }
          : {}),
      },
    ];
    assert.equal(evaluated(ofADay, left(8), soon(8, false)), "");
    assert.equal(evaluated(ofADay, left(3), soon(3, true)), "");
  });

  it("leave certificates that issuers make to their issuers, as long as the controller tells of them or lately did", () => {
    const left = ofSidecar(
      "admin-ui",
      "envoy_listener_ssl_certificate_expiration_unix_time_seconds",
      'envoy_tls_certificate="leaf"',
      lasting([86_400, 95]),
    );
    const told = (service: string) =>
      ofController(
        "lucid_controller_certificate_renewal_timestamp_seconds",
        `exported_zone="ops", exported_service="${service}"`,
        lasting([57_600, 10]),
      );
    const soon = (minutes: number, ...fires: string[]): Expectation => ({
      alert: "LucidCertificateEndsSoon",
      at: minutes * 60,
      fires: fires.map((ends) =>
        firing(
          "LucidCertificateEndsSoon",
          { zone: "ops", service: "admin-ui", pod: "admin-ui-0" },
          `The certificate of admin-ui-0 ends in ${ends}`,
        ),
      ),
    });
    assert.equal(evaluated(rules, [left, told("admin-ui")], [soon(8), soon(60), soon(90, "22h 30m 0s")]), "");
    assert.equal(evaluated(rules, [left, told("jaeger")], [soon(8, "23h 52m 0s")]), "");
  });
});
