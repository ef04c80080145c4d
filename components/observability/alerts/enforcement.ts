import { FROM_SIDECARS, type Mesh } from "../../../mesh";
import { controllerMetrics, told, type AlertGroup, type AlertRule } from "./rule";

/** Whether what keeps callers apart still does, and who was refused by it. */
export function enforcementAlerts(mesh: Mesh): AlertGroup {
  return { name: "enforcement", rules: [...driftAlerts(mesh), ...refusalAlerts(mesh)] };
}

function driftAlerts(mesh: Mesh): AlertRule[] {
  const of = controllerMetrics(mesh);
  if (of === undefined) return [];
  const drift = (matchers: string) => `max by (zone, class) (${told(of("lucid_controller_drift", matchers))}) > 0`;
  const repaired = told(`increase(${of("lucid_controller_drift_repaired_total")}[30m])`);
  return [
    {
      name: "LucidEnforcementLost",
      severity: "critical",
      expression: drift('class="enforcement"'),
      summary: "In {{ $labels.zone }} something runs that nothing holds back ({{ $value }})",
    },
    {
      name: "LucidDrift",
      severity: "warning",
      expression: drift('class!="enforcement"'),
      for: "15m",
      summary: "In {{ $labels.zone }} not all is as declared ({{ $labels.class }}: {{ $value }})",
    },
    {
      name: "LucidDriftRepairGivenUp",
      severity: "critical",
      expression: `max by (zone, class) (${told(of("lucid_controller_drift_left"))}) > 0`,
      summary:
        "In {{ $labels.zone }} something is changed as often as it is put right, and is left now ({{ $labels.class }}: {{ $value }})",
    },
    {
      name: "LucidDriftContested",
      severity: "warning",
      expression: `sum by (zone, class) (${repaired}) > 3`,
      summary:
        "In {{ $labels.zone }} somebody changes again and again what is put right ({{ $labels.class }}: {{ $value | humanize }} times in half an hour)",
    },
  ];
}

function refusalAlerts(mesh: Mesh): AlertRule[] {
  // There the same counter also counts end users' tokens, and those are refused every day.
  const named = mesh.services.flatMap(({ ports }) => ports.filter(({ endUsers }) => endUsers !== undefined));
  const endUsers = [...new Set(named.map(({ name }) => name))].sort();
  const tokens = [FROM_SIDECARS, ...(endUsers.length === 0 ? [] : [`lucid_port!~"${endUsers.join("|")}"`])].join(", ");
  const perPort = (metric: string, matchers: string) =>
    `sum by (zone, service, lucid_port, lucid_caller_zone) (increase(${metric}{${matchers}}[5m])) > 0`;
  const peers = ["error", "san", "no_cert"].map(
    (why) => `sum by (zone, service) (increase(envoy_listener_ssl_fail_verify_${why}{${FROM_SIDECARS}}[5m]))`,
  );
  return [
    {
      name: "LucidCallsRefused",
      severity: "warning",
      expression: perPort("envoy_http_rbac_denied", FROM_SIDECARS),
      summary:
        "{{ $labels.service }} refuses what somebody{{ with $labels.lucid_caller_zone }} in {{ . }}{{ end }} asks it{{ with $labels.lucid_port }} ({{ . }}){{ end }}",
    },
    {
      name: "LucidTokensRefused",
      severity: "warning",
      expression: perPort("envoy_http_jwt_authn_denied", tokens),
      for: "1m",
      summary:
        "{{ $labels.service }} refuses identity tokens{{ with $labels.lucid_caller_zone }} from {{ . }}{{ end }}{{ with $labels.lucid_port }} ({{ . }}){{ end }}",
    },
    {
      name: "LucidPeersRefused",
      severity: "warning",
      expression: `${peers.join(" + ")} > 0`,
      summary: "The sidecar of {{ $labels.service }} refuses peers for their certificates",
    },
  ];
}
