/** CEL of what policies of pods have in common. */
import { LABELS } from "../mesh/wire";
import type { AdmissionData } from "./data";
import { list } from "./literal";
import { NO_DRY_RUN } from "./match";
import type { NamedExpression } from "./model";

const templateOf = (object: string) =>
  `(dyn(${object}).kind == "Pod" ? dyn(${object}) : dyn(${object}).kind == "CronJob" ? ` +
  `dyn(${object}).spec.jobTemplate.spec.template : dyn(${object}).spec.template)`;

const labelsOf = (template: string) => `${template}.?metadata.?labels.orValue({})`;

/** Pods and templates are judged when they are new, or when labels or spec change. */
export const POD_CONDITIONS: readonly NamedExpression[] = [
  NO_DRY_RUN,
  {
    name: "changed",
    expression:
      `request.operation != "UPDATE" || ${templateOf("object")}.spec != ${templateOf("oldObject")}.spec || ` +
      `${labelsOf(templateOf("object"))} != ${labelsOf(templateOf("oldObject"))}`,
  },
];

/** `template`, its `spec` and `labels`; `zone` and `service` by namespace and ServiceAccount, `party` of both. */
export const POD_VARIABLES: readonly NamedExpression[] = [
  { name: "kind", expression: "dyn(object).kind" },
  { name: "template", expression: templateOf("object") },
  { name: "spec", expression: "variables.template.spec" },
  { name: "labels", expression: labelsOf("variables.template") },
  { name: "zone", expression: `request.namespace.substring(${"lucid-".length})` },
  { name: "service", expression: 'variables.spec.?serviceAccountName.orValue("")' },
  { name: "party", expression: 'variables.zone + "/" + variables.service' },
];

/** `initContainers`, and `containers`: all of them, in the order in which they start. */
export const CONTAINER_VARIABLES: readonly NamedExpression[] = [
  { name: "initContainers", expression: "variables.spec.?initContainers.orValue([])" },
  {
    name: "containers",
    expression: "variables.initContainers + variables.spec.containers",
  },
];

/** `infrastructure`, and `exempt`: whether the pod has no sidecar by right. */
export function exemption(data: AdmissionData): readonly NamedExpression[] {
  return [
    list("infrastructure", data.infrastructure),
    {
      name: "exempt",
      expression: `variables.party in variables.infrastructure && variables.labels[?"${LABELS.name}"] == optional.of(variables.service)`,
    },
  ];
}

/** CEL: what a label's value is; the empty string where there is none. */
export function label(name: string): string {
  return `variables.labels[?"${name}"].orValue("")`;
}

/** How messages name what they are about: kind and name, or the name that it is to be made from. */
export const TITLE =
  'variables.kind + " " + dyn(object).metadata.?name.orValue(dyn(object).metadata.?generateName.orValue(""))';
