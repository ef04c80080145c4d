import type { Ceiling } from "../ceiling";
import type { Field } from "../judgement/field";
import type { Findings } from "../judgement/finding";
import type { ResourceRule } from "../judgement/rule";
import {
  COMPLETES_LABEL,
  KubeObject,
  MESHED_LABEL,
  NAME_LABEL,
  ZONE_LABEL,
  isKind,
  kindOf,
  zoneOfNamespace,
} from "../kubernetes/object";
import { podTemplates, runsToCompletion } from "../kubernetes/pods";
import { isInfrastructure, isNamedFor, WORKLOAD_NAMES } from "../kubernetes/workload";

/** Kinds that keep count of the pods that their selector finds. */
const SELECTING: readonly string[] = ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"];

/** Nothing runs in a zone but its listed members, under their own names. */
export const membersOnly: ResourceRule = {
  name: "members-only",
  description:
    "Namespaces lucid-* are the five zones; in them, workloads and ServiceAccounts are those of the zone's listed members.",
  severity: "critical",
  remediation:
    "Declare the service in the zone that it is a member of; a new member is added to the ceiling by its owner.",
  uses: ["members", "infrastructure"],
  concerns: (type) => kindOf(type) !== undefined,
  judge(resource, ceiling, findings) {
    const object = KubeObject.of(resource);
    if (object === undefined) return;
    if (isSdkComponent(object.group)) return;
    if (object.metadata.isAbsent) {
      findings.add(
        "metadata",
        "nothing of the object is known at preview",
        "make its name and namespace plain values, and the provider's configuration known at preview",
      );
      return;
    }
    if (isKind(resource.type, "Namespace")) judgeNamespace(object, ceiling, findings);
    else if (object.isNamespaced && judgePlace(object, ceiling, findings)) judgeMember(object, ceiling, findings);
  },
};

/** Types such as `kubernetes:yaml/v2:ConfigFile` are components: what they make is judged. `resource-types-known` decides about them. */
function isSdkComponent(group: string): boolean {
  return ["yaml", "helm.sh", "kustomize"].includes(group);
}

function judgeNamespace(object: KubeObject, ceiling: Ceiling, findings: Findings): void {
  const name = object.metadata.at("name").text();
  if (name === undefined) {
    findings.add(
      "metadata.name",
      "the namespace has no name of its own",
      "name it: a generated name can't be a zone's",
    );
    return;
  }
  if (!name.startsWith("lucid-")) return;
  const zone = zoneOfNamespace(name, ceiling);
  if (zone === undefined) {
    const zones = Object.keys(ceiling.members).join(", ");
    findings.add(
      "metadata.name",
      `\`${name}\` is no zone's namespace`,
      `take one of the zones ${zones}, or a name without \`lucid-\``,
    );
    return;
  }
  const label = object.metadata.at("labels", ZONE_LABEL);
  findings.require(
    label.is(zone),
    label,
    `the namespace's zone label is ${label.shown()}`,
    `set ${ZONE_LABEL}: ${zone}`,
  );
}

/** Whether the object lies in a zone; where it can't be told, or the zone does not exist, that is the finding. */
function judgePlace(object: KubeObject, ceiling: Ceiling, findings: Findings): boolean {
  const namespace = object.namespace.text();
  if (namespace === undefined || namespace === "") {
    findings.add(
      "metadata.namespace",
      "the object does not say its namespace, so it could lie in any zone",
      "name the namespace on the object, as a plain value",
    );
    return false;
  }
  if (!namespace.startsWith("lucid-")) return false;
  if (object.zone(ceiling) !== undefined) return true;
  findings.add(
    "metadata.namespace",
    `\`${namespace}\` is no zone's namespace`,
    `take one of ${Object.keys(ceiling.members).join(", ")}`,
  );
  return false;
}

function judgeMember(object: KubeObject, ceiling: Ceiling, findings: Findings): void {
  const zone = object.zone(ceiling) ?? "";
  const members = ceiling.members[zone] ?? [];
  const listed = members.length === 0 ? "none" : members.join(", ");
  const mend = (what: string) =>
    `move it to the zone it belongs to, or have its owner add it to the ceiling (${what} of zone ${zone}: ${listed})`;
  if (object.kind === "ServiceAccount") {
    const name = object.name ?? "";
    findings.require(
      members.includes(name),
      "metadata.name",
      `\`${name}\` is not a member of zone ${zone}`,
      mend("members"),
    );
  }
  for (const template of podTemplates(object)) {
    const account = template.spec.at("serviceAccountName");
    const service = account.text() ?? "";
    const path = account.path;
    if (service === "") {
      findings.add(
        account,
        "the pod runs under the namespace's default ServiceAccount",
        "name the service's own ServiceAccount",
      );
      continue;
    }
    findings.require(
      members.includes(service),
      path,
      `\`${service}\` is not a member of zone ${zone}`,
      mend("members"),
    );
    const alias = template.spec.at("serviceAccount");
    findings.require(
      alias.isAbsentOr(service),
      alias,
      "the deprecated alias names another ServiceAccount",
      "take it out",
    );
    const labels = template.metadata.at("labels");
    findings.require(
      isNamedFor(object, template, service),
      "metadata.name",
      `the workload \`${object.name ?? ""}\` runs under the ServiceAccount \`${service}\``,
      `give the workload ${WORKLOAD_NAMES}`,
    );
    for (const [label, value] of [[NAME_LABEL, service] as const, [ZONE_LABEL, zone] as const]) {
      findings.require(
        labels.at(label).is(value),
        labels.at(label),
        `the pod's label ${label} is ${labels.at(label).shown()}, so policies would take it for something else`,
        `set it to ${value}`,
      );
    }
    // What is labelled as meshed is registered, scraped and let at the node resolver.
    const meshed = labels.at(MESHED_LABEL);
    const expected = !isInfrastructure(object, template, ceiling);
    findings.require(
      expected ? meshed.is("true") : meshed.isAbsent,
      meshed,
      `the pod's label ${MESHED_LABEL} is ${meshed.shown()}`,
      expected ? "set it to `true`" : "take it out: the pod has no sidecar",
    );
    const selected = object.spec.at("selector", "matchLabels", NAME_LABEL);
    findings.require(
      !SELECTING.includes(object.kind) || selected.is(service),
      selected,
      `the workload selects pods whose name is ${selected.shown()}, and would take others' for its own`,
      `select them by ${NAME_LABEL}: ${service}`,
    );
    judgeCompletion(object, labels.at(COMPLETES_LABEL), findings);
  }
}

/** A pod that ends by itself is told apart, or the controller would register it and callers would be sent to it. */
function judgeCompletion(object: KubeObject, completes: Field, findings: Findings): void {
  const expected = runsToCompletion(object);
  findings.require(
    expected ? completes.is("true") : completes.isAbsent,
    completes,
    `the pod's label ${COMPLETES_LABEL} is ${completes.shown()}`,
    expected
      ? "set it to `true`: nobody may call a pod that ends by itself"
      : "take it out: the pod would not be registered",
  );
}
