import { SCRAPE_JOBS, type Mesh } from "../../../mesh";
import { controllerMetrics, told, type AlertGroup, type AlertRule } from "./rule";

/** Whether services have the instances that they should, and can be found and seen. */
export function serviceAlerts(mesh: Mesh): AlertGroup {
  const applications: AlertRule = {
    name: "LucidApplicationMetricsMissing",
    severity: "warning",
    expression: `up{job=~"${SCRAPE_JOBS.applications}-.+"} == 0`,
    for: "10m",
    summary: "{{ $labels.pod }} does not tell the metrics that {{ $labels.service }} declares",
  };
  const tellsAny = mesh.services.some(({ metrics }) => metrics !== undefined);
  return { name: "services", rules: [...instanceAlerts(mesh), ...(tellsAny ? [applications] : [])] };
}

function instanceAlerts(mesh: Mesh): AlertRule[] {
  const of = controllerMetrics(mesh);
  if (of === undefined) return [];
  const instances = (state: string) =>
    `max by (zone, service) (${told(of("lucid_controller_service_instances", `state="${state}"`))})`;
  return [
    {
      name: "LucidServiceDown",
      severity: "critical",
      // Of a service that another stack brings no number is declared; of one that is to have no pods, 0.
      expression: `${instances("ready")} == 0 unless ${instances("declared")} == 0`,
      for: "5m",
      summary: "No instance of {{ $labels.service }} is ready",
    },
    {
      name: "LucidInstancesMissing",
      severity: "warning",
      expression: `${instances("ready")} < ${instances("declared")} and ${instances("ready")} > 0`,
      for: "15m",
      summary: "{{ $labels.service }} has fewer ready instances than are declared ({{ $value }})",
    },
    {
      name: "LucidInstancesNotFound",
      severity: "critical",
      expression: `${instances("registered")} < ${instances("ready")}`,
      for: "5m",
      summary: "Callers do not find all ready instances of {{ $labels.service }} (only {{ $value }})",
    },
  ];
}
