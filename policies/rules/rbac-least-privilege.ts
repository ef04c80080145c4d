import { SEALS } from "../admission/seals";
import type { Ceiling } from "../ceiling";
import { isMember } from "../ceiling/edges";
import { isIssuerRole } from "../issuing/rights";
import type { Field } from "../judgement/field";
import type { Findings } from "../judgement/finding";
import type { ResourceRule } from "../judgement/rule";
import { KubeObject, isKind, zoneOfNamespace } from "../kubernetes/object";
import { powerOf } from "../kubernetes/powers";

/** Rights to give oneself rights, or to be another: no leave of the ceiling gives them. */
const NEVER: readonly string[] = ["escalate", "bind", "impersonate"];
/** Kubernetes' own ClusterRoles: what they allow changes with the cluster's version, and nobody judges it. */
const BUILT_IN = /^(cluster-admin|admin|edit|view|system:.*)$/;
/** The power of an issuer's Role: `create` can't be narrowed to names, which the admission policies do. */
const ISSUERS_RIGHTS: readonly string[] = ["create core/secrets"];
/** ConfigMaps by which sidecars and infrastructure go. */
const JUDGED_FILES = /-(envoy|trust|corefile)$/;
const CHANGES: readonly string[] = ["update", "patch", "delete", "deletecollection"];
const ADMISSION_GROUP = "admissionregistration.k8s.io";
const RBAC_GROUP = "rbac.authorization.k8s.io";

/** Kubernetes' rights are named one by one, and given to members of the mesh alone. */
export const rbacLeastPrivilege: ResourceRule = {
  name: "rbac-least-privilege",
  description:
    "Roles name groups, resources and verbs one by one, and give nobody the means to become another; bindings give them to listed members alone.",
  severity: "critical",
  remediation:
    "Name each right; a right that lets its holder become another is added to the ceiling's powers by its owner, with the reason.",
  uses: ["members", "apiClients", "powers"],
  concerns: (type) => isKind(type, "Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"),
  judge(resource, ceiling, findings) {
    const object = KubeObject.of(resource);
    if (object?.group !== RBAC_GROUP) return;
    if (object.kind.endsWith("Binding")) judgeBinding(object, ceiling, findings);
    else judgeRole(object, ceiling, findings);
  },
};

function judgeRole(object: KubeObject, ceiling: Ceiling, findings: Findings): void {
  const { body, metadata } = object;
  findings.require(
    body.at("aggregationRule").isAbsent,
    body.at("aggregationRule"),
    "the role is the sum of others, whoever makes them",
    "take aggregationRule out, and name the rights",
  );
  for (const label of metadata.at("labels").keys()) {
    findings.require(
      !label.startsWith("rbac.authorization.k8s.io/aggregate-to-"),
      metadata.at("labels", label),
      "the label adds these rights to a role of Kubernetes' own",
      "take it out",
    );
  }
  // What an issuer's may do beyond others' is `issuers-least-privilege`'s to judge.
  const leave = isIssuerRole(object) ? ISSUERS_RIGHTS : [];
  for (const rule of body.at("rules").items()) judgeRule(rule, leave, ceiling, findings);
}

function judgeRule(rule: Field, leave: readonly string[], ceiling: Ceiling, findings: Findings): void {
  for (const key of ["apiGroups", "resources", "verbs", "nonResourceURLs", "resourceNames"]) {
    const field = rule.at(key);
    findings.require(
      !field.texts().some((value) => value.includes("*")),
      field,
      "the role has a wildcard",
      "name each group, resource and verb",
    );
  }
  const verbs = rule.at("verbs").texts();
  for (const verb of verbs.filter((candidate) => NEVER.includes(candidate))) {
    findings.add(
      rule.at("verbs"),
      `the role may ${verb}: who has it has every right`,
      "take it out; there is no leave for it",
    );
  }
  for (const name of rule.at("resourceNames").items()) {
    findings.require(
      !JUDGED_FILES.test(name.text() ?? "") ||
        !rule.at("resources").texts().includes("configmaps") ||
        !verbs.some((verb) => CHANGES.includes(verb)),
      name,
      `the role may change ${name.shown()}, which nobody judges then`,
      "take it out: it is the stack's alone to make",
    );
  }
  judgeAdmission(rule, findings);
  const named = rule.at("resourceNames").texts().length > 0;
  for (const group of rule.at("apiGroups").texts()) {
    for (const resource of rule.at("resources").texts()) {
      for (const verb of verbs) {
        const power = powerOf(group, resource, verb, named);
        const right = `${verb} ${group === "" ? "core" : group}/${resource}`;
        findings.require(
          power === undefined || leave.includes(right) || Object.hasOwn(ceiling.powers, right),
          rule,
          `the role may ${right}: ${power ?? ""}`,
          "take it out, or have the ceiling's owner list the right under powers with the reason",
        );
      }
    }
  }
}

/** Admission policies may be changed, where the ceiling gives leave to it at all, one by one: those of the mesh, and none of the cluster's others. */
function judgeAdmission(rule: Field, findings: Findings): void {
  const changes = rule
    .at("verbs")
    .texts()
    .filter((verb) => CHANGES.includes(verb));
  if (!rule.at("apiGroups").texts().includes(ADMISSION_GROUP) || changes.length === 0) return;
  const names = rule.at("resourceNames").texts();
  findings.require(
    names.length > 0 && names.every((name) => Object.hasOwn(SEALS, name)),
    rule,
    `the role may ${changes.join(" and ")} admission policies that are not the mesh's own`,
    "name those of the mesh one by one in resourceNames",
  );
}

function judgeBinding({ body, kind }: KubeObject, ceiling: Ceiling, findings: Findings): void {
  const role = body.at("roleRef");
  const name = role.at("name").text() ?? "";
  findings.require(
    role.at("kind").is("Role") || (role.at("kind").is("ClusterRole") && !BUILT_IN.test(name)),
    role,
    `the binding gives ${role.at("name").shown()}, a role of Kubernetes' own`,
    "bind a Role of this stack that names the rights",
  );
  findings.require(
    role.at("apiGroup").is(RBAC_GROUP),
    role.at("apiGroup"),
    "the role is of no known kind",
    `set apiGroup: ${RBAC_GROUP}`,
  );
  findings.require(name !== "", role.at("name"), "the binding names no role", "name one");
  for (const subject of body.at("subjects").items()) {
    const zone = zoneOfNamespace(subject.at("namespace").text(), ceiling) ?? "";
    const party = `${zone}/${subject.at("name").text() ?? ""}`;
    findings.require(
      subject.at("kind").is("ServiceAccount") && isMember(party, ceiling),
      subject,
      `the ${kind} gives rights to ${subject.at("kind").shown()} ${subject.at("name").shown()}, who is no member of the mesh`,
      "name the ServiceAccount of a listed member, with its namespace",
    );
    if (!isMember(party, ceiling)) continue;
    findings.require(
      Object.hasOwn(ceiling.apiClients, party),
      subject,
      `the ${kind} gives rights to ${party}, which has nothing to ask of the Kubernetes API`,
      "take it out, or have the ceiling's owner list the member under apiClients with the reason",
    );
  }
}
