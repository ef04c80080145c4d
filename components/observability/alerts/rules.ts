import { dump } from "js-yaml";
import type { Mesh } from "../../../mesh";
import { callAlerts } from "./calls";
import { certificateAlerts } from "./certificates";
import { controllerAlerts } from "./controller";
import { enforcementAlerts } from "./enforcement";
import type { AlertGroup } from "./rule";
import { serviceAlerts } from "./services";
import { sidecarAlerts } from "./sidecars";

/** What of a stack's configuration alerts go by. */
export interface AlertSettings {
  /** Life of a leaf certificate that Pulumi makes, in days. */
  readonly certValidityDays: number;
}

/**
 * What people are told of a mesh. A rule stands for all services, zones and callees at once, so that a document's rules change when what can be seen of
 * the mesh does, and not with each service: Prometheus reads them at its start.
 */
export function alertGroups(mesh: Mesh, { certValidityDays }: AlertSettings): readonly AlertGroup[] {
  return [
    enforcementAlerts(mesh),
    controllerAlerts(mesh),
    serviceAlerts(mesh),
    sidecarAlerts(),
    certificateAlerts(mesh, certValidityDays),
    callAlerts(mesh),
  ];
}

/** Where in the project's folder it is said what an alert means and what to do. */
export function runbookOf(group: Pick<AlertGroup, "name">, rule: { readonly name: string }): string {
  return `docs/runbooks/${group.name}.md#${rule.name.toLowerCase()}`;
}

/**
 * The file of rules that Prometheus loads.
 *
 * @see https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/
 */
export function alertRulesFile(groups: readonly AlertGroup[]): string {
  return dump(
    {
      groups: groups.map((group) => ({
        name: group.name,
        rules: group.rules.map((rule) => ({
          alert: rule.name,
          expr: rule.expression,
          ...(rule.for === undefined ? {} : { for: rule.for }),
          labels: { severity: rule.severity },
          annotations: { summary: rule.summary, runbook: runbookOf(group, rule) },
        })),
      })),
    },
    { lineWidth: -1, noRefs: true },
  );
}
