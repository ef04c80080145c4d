import { LISTENERS } from "../../../envoy";
import { FROM_SIDECARS, type Mesh } from "../../../mesh";
import { controllerMetrics, told, type AlertGroup, type AlertRule } from "./rule";

/** Whether what keeps callers apart still does, and who was refused by it. */
export function enforcementAlerts(mesh: Mesh): AlertGroup {
  return { name: "enforcement", rules: [...driftAlerts(mesh), ...canaryAlerts(mesh), ...refusalAlerts(mesh)] };
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
      summary:
        "In {{ $labels.zone }} something runs that nothing holds back, or somebody may do more at the discovery backend than is declared ({{ $value }})",
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

/** What the live canary found: the refusal itself, and not the objects that ask for it. */
function canaryAlerts(mesh: Mesh): AlertRule[] {
  const of = controllerMetrics(mesh);
  if (of === undefined) return [];
  const pods = (outcome: string) =>
    `max by (layer, node) (${of("lucid_controller_canary", `outcome="${outcome}"`)}) > 0`;
  return [
    {
      name: "LucidCanaryLetIn",
      severity: "critical",
      expression: pods("let-in"),
      summary:
        "On {{ $labels.node }} pods let in whom they must not ({{ $value }}, at the {{ $labels.layer }}): what should refuse doesn't",
    },
    {
      name: "LucidCanaryBlind",
      severity: "warning",
      expression: pods("blind"),
      for: "10m",
      summary:
        "Of {{ $value }} pods on {{ $labels.node }} nobody knows whether they refuse whom they must ({{ $labels.layer }})",
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
  // Without a certificate the live canary knocks at the port of inspection all the time; whoever else could get there, it tells of.
  const calls = `${FROM_SIDECARS}, envoy_listener_address!="${LISTENERS.inspection}"`;
  const peers = Object.entries({ error: FROM_SIDECARS, san: FROM_SIDECARS, no_cert: calls }).map(
    ([why, from]) => `sum by (zone, service) (increase(envoy_listener_ssl_fail_verify_${why}{${from}}[5m]))`,
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
