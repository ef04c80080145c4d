import { CLOCK_LIMITS, FROM_SIDECARS, WELL_KNOWN, type Mesh } from "../../../mesh";
import { controllerMetrics, ownMetrics, told, type AlertGroup, type AlertRule } from "./rule";

/** What the controller does for the discovery backend; its other work is the cluster's. */
const REGISTRATION = "register|deregister|remove-.+|compare|keep";

/** Whether somebody looks after the mesh: the controller, the registry behind it, the nodes, and Prometheus itself. */
export function controllerAlerts(mesh: Mesh): AlertGroup {
  return { name: "controller", rules: [...ofController(mesh), ...ofPrometheus(mesh)] };
}

function ofController(mesh: Mesh): AlertRule[] {
  const of = controllerMetrics(mesh);
  if (of === undefined) return [];
  const failures = (operation: string) =>
    `sum by (zone, operation) (${told(`rate(${of("lucid_controller_failures_total", operation)}[5m])`)}) > 0`;
  const requests = (part: "bucket" | "count", status: string) =>
    // What is asked in no zone's name registers nobody: where that fails, it is the controller's failing.
    of(`lucid_controller_registry_request_duration_seconds_${part}`, `exported_zone!="none", ${status}`);
  return [
    {
      name: "LucidControllerAway",
      severity: "critical",
      expression: `absent(${of("up")} == 1)`,
      for: "2m",
      summary: "No replica of the controller is seen: nothing registers, nothing compares, and of drift nobody tells",
    },
    {
      name: "LucidControllerWithoutLeader",
      severity: "critical",
      expression: `max(${of("lucid_controller_leading")}) == 0`,
      for: "1m",
      summary: "Replicas of the controller run, and none of them leads",
    },
    {
      name: "LucidControllerLeadersDiffer",
      severity: "critical",
      expression: `sum(${of("lucid_controller_leading")}) > 1`,
      // A change of leader is seen in two scrapes of different times.
      for: "2m",
      summary: "{{ $value }} replicas of the controller take themselves for the leader",
    },
    {
      name: "LucidControllerFailing",
      severity: "warning",
      expression: failures(`operation!~"${REGISTRATION}"`),
      for: "10m",
      summary: "The controller fails again and again at {{ $labels.operation }}",
    },
    {
      name: "LucidRegistryAway",
      severity: "critical",
      expression: `sum(rate(${requests("count", 'status="error"')}[5m])) > 0`,
      for: "2m",
      summary: "The discovery backend gives the controller no answer",
    },
    {
      name: "LucidRegistrationFailing",
      severity: "critical",
      expression: failures(`operation=~"${REGISTRATION}"`),
      for: "5m",
      summary: "Instances of {{ $labels.zone }} are not registered as they should be ({{ $labels.operation }} fails)",
    },
    {
      name: "LucidRegistrationBehind",
      severity: "warning",
      expression: `max(${of("lucid_controller_backlog")}) > 0`,
      for: "5m",
      summary: "{{ $value }} instances wait for their registration to be put right",
    },
    {
      name: "LucidRegistrationSlow",
      severity: "warning",
      expression: `histogram_quantile(0.99, sum by (le) (rate(${requests("bucket", 'status!="error"')}[10m]))) > 1`,
      for: "15m",
      summary: "One in a hundred requests to the discovery backend takes {{ $value | humanizeDuration }} or longer",
    },
    {
      name: "LucidNodeDead",
      severity: "critical",
      expression: `max(${of("lucid_controller_nodes_dead")}) > 0`,
      summary: "{{ $value }} nodes do not renew their leases; their instances were taken out of the registry",
    },
    {
      name: "LucidClocksApart",
      severity: "warning",
      expression: `max by (node) (abs(${of("lucid_controller_clock_skew_seconds")})) > ${String(CLOCK_LIMITS.notable)}`,
      for: "5m",
      summary: "The clock of {{ $labels.node }} is {{ $value }} s from the controller's",
    },
  ];
}

function ofPrometheus(mesh: Mesh): AlertRule[] {
  const of = ownMetrics(mesh, WELL_KNOWN.prometheus);
  const own: AlertRule[] =
    of === undefined
      ? []
      : [
          {
            name: "LucidTargetsNotNamed",
            severity: "warning",
            expression: `sum(increase(${of("prometheus_sd_http_failures_total")}[5m])) > 0`,
            for: "5m",
            summary: "Prometheus is not told whom to scrape, and goes on with those that it knows",
          },
          {
            name: "LucidRulesFailing",
            severity: "critical",
            expression: `sum(increase(${of("prometheus_rule_evaluation_failures_total")}[5m])) > 0`,
            for: "5m",
            summary: "Prometheus can't evaluate some of these rules",
          },
        ];
  return [
    {
      name: "LucidNothingSeen",
      severity: "critical",
      expression: `absent(up{${FROM_SIDECARS}} == 1)`,
      for: "5m",
      summary: "Prometheus reaches no sidecar at all",
    },
    ...own,
  ];
}
