import { FROM_SIDECARS, type Mesh } from "../../../mesh";
import type { AlertGroup, AlertRule } from "./rule";

/** Requests a second below which a share of them says nothing: thirty in five minutes. */
const LEAST_TRAFFIC = 0.1;
/** Shares of failed requests; the status page's own. */
const DEGRADED = 0.05;
const FAILING = 0.5;
/** Milliseconds within which 99 of 100 answers should come, of requests that nobody lets run on. */
const SLOW = 1_000;

const CALLEE = "lucid_callee, lucid_callee_port";
const OUTBOUND = `${FROM_SIDECARS}, lucid_callee!=""`;

/** How calls go, as the callers' sidecars count them. */
export function callAlerts(mesh: Mesh): AlertGroup {
  const rate = (metric: string, matchers = OUTBOUND) => `sum by (${CALLEE}) (rate(${metric}{${matchers}}[5m]))`;
  const requests = rate("envoy_cluster_upstream_rq_completed");
  const failures = rate("envoy_cluster_upstream_rq_xx", `${OUTBOUND}, envoy_response_code_class="5"`);
  const failing = (name: string, severity: AlertRule["severity"], share: number, time: string): AlertRule => ({
    name,
    severity,
    expression: `${failures} / ${requests} >= ${String(share)} and ${requests} >= ${String(LEAST_TRAFFIC)}`,
    for: time,
    summary:
      "{{ $value | humanizePercentage }} of the calls to {{ $labels.lucid_callee }} fail ({{ $labels.lucid_callee_port }})",
  });
  return {
    name: "calls",
    rules: [
      failing("LucidCallsFailing", "warning", DEGRADED, "5m"),
      failing("LucidCallsFailingMostly", "critical", FAILING, "2m"),
      ...slowness(mesh, requests),
      {
        name: "LucidConnectionsFailing",
        severity: "warning",
        expression: `${rate("envoy_cluster_upstream_cx_connect_fail")} / ${rate("envoy_cluster_upstream_cx_total")} >= ${String(FAILING)} and ${rate("envoy_cluster_upstream_cx_total")} >= ${String(LEAST_TRAFFIC)}`,
        for: "5m",
        summary: "{{ $value | humanizePercentage }} of the connections to {{ $labels.lucid_callee }} can't be made",
      },
      {
        name: "LucidCircuitBreakerOpen",
        severity: "warning",
        expression: `max by (zone, service, ${CALLEE}) ({__name__=~"envoy_cluster_circuit_breakers_default_(cx|rq|rq_pending)_open", ${OUTBOUND}}) > 0`,
        for: "1m",
        summary:
          "{{ $labels.service }} has more under way at {{ $labels.lucid_callee }} than its circuit breaker lets be",
      },
    ],
  };
}

/** Of ports at which every request has an end that somebody waits for; a stream may last, and its time says nothing. */
function slowness(mesh: Mesh, requests: string): AlertRule[] {
  const ports = mesh.services.flatMap((service) => service.ports);
  const lasting = new Set(ports.filter(({ protocol }) => protocol !== "http").map(({ name }) => name));
  const awaited = [...new Set(ports.map(({ name }) => name))].filter((name) => !lasting.has(name)).sort();
  if (awaited.length === 0) return [];
  const buckets = `sum by (le, ${CALLEE}) (rate(envoy_cluster_upstream_rq_time_bucket{${OUTBOUND}, lucid_callee_port=~"${awaited.join("|")}"}[5m]))`;
  return [
    {
      name: "LucidCallsSlow",
      severity: "warning",
      expression: `histogram_quantile(0.99, ${buckets}) > ${String(SLOW)} and ${requests} >= ${String(LEAST_TRAFFIC)}`,
      for: "10m",
      summary: "One in a hundred calls to {{ $labels.lucid_callee }} takes {{ $value | humanize }} ms or longer",
    },
  ];
}
