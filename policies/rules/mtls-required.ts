import type { Ceiling } from "../ceiling";
import type { Field } from "../judgement/field";
import type { Findings } from "../judgement/finding";
import type { Resource, ResourceRule } from "../judgement/rule";
import { KubeObject } from "../kubernetes/object";
import { podTemplates } from "../kubernetes/pods";
import { partyOf } from "../kubernetes/workload";

const VARIABLE = "ENABLE_MTLS";
/** The setting as variables, stack configurations and components spell it. */
const SETTING = /^enable[_-]?mtls$/i;
/** An assignment in a script, an argument or a file of variables. */
const ASSIGNMENT = /enable[_-]?mtls["']?\s*[=:]\s*["']?([\w$]*)/gi;

/** Mutual TLS is switched off nowhere, unless the ceiling lets it be: by the variable, by a component's input, or in a file that is read as either. */
export const mtlsRequired: ResourceRule = {
  name: "mtls-required",
  description:
    "ENABLE_MTLS is true wherever it is said, on workloads, in their files and in components, but for members that the ceiling lists.",
  severity: "critical",
  remediation:
    "Leave ENABLE_MTLS at true; who may run without mutual TLS is listed in the ceiling by its owner, with the reason.",
  uses: ["members", "mtlsOptional"],
  concerns: () => true,
  judge(resource, ceiling, findings) {
    const settings = [...settingsIn(resource.properties)];
    if (settings.length === 0 || hasLeave(resource, ceiling)) return;
    for (const setting of settings) report(setting, findings);
  },
};

/** Every place that says something else than true. */
function* settingsIn(field: Field): Generator<Field> {
  if (field.isList) {
    for (const item of field.items()) yield* settingsIn(item);
  } else if (field.isMap) {
    const value = field.at("value");
    if (isVariable(field) && !isOn(value)) yield value;
    for (const [key, child] of field.entries()) {
      if (SETTING.test(key) && !isOn(child)) yield child;
      else yield* settingsIn(child);
    }
  } else if (field.isText) {
    const said = [...(field.text() ?? "").matchAll(ASSIGNMENT)];
    if (said.some(([, value]) => value?.toLowerCase() !== "true")) yield field;
  }
}

function isVariable(field: Field): boolean {
  const name = field.at("name");
  return name.isText && SETTING.test(name.text() ?? "");
}

function isOn(value: Field): boolean {
  return value.is(true) || value.is("true");
}

function hasLeave(resource: Resource, ceiling: Ceiling): boolean {
  if (Object.hasOwn(ceiling.mtlsOptional, "*")) return true;
  const object = KubeObject.of(resource);
  if (object === undefined) return false;
  const templates = podTemplates(object);
  const zone = object.zone(ceiling);
  // A workload is who its account says; anything else is the member's whose name it bears.
  const parties =
    templates.length > 0
      ? templates.map((template) => partyOf(object, template, ceiling))
      : (ceiling.members[zone ?? ""] ?? [])
          .filter((member) => object.name === member || (object.name ?? "").startsWith(`${member}-`))
          .map((member) => `${zone ?? ""}/${member}`);
  return (
    parties.length > 0 && parties.every((party) => party !== undefined && Object.hasOwn(ceiling.mtlsOptional, party))
  );
}

function report(setting: Field, findings: Findings): void {
  findings.add(
    setting,
    `mutual TLS is switched off, or it can't be told that it is on (${VARIABLE})`,
    `set ${VARIABLE} to true or take it out, or have the ceiling's owner list the service under mtlsOptional with the reason`,
  );
}
