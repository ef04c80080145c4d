import { SEALS } from "../admission/seals";
import type { Ceiling } from "../ceiling";
import type { Findings } from "../judgement/finding";
import { findingsIn } from "../judgement/rule";
import type { StackFinding, StackResource } from "../judgement/rule";
import { KubeObject } from "../kubernetes/object";
import { podTemplates } from "../kubernetes/pods";
import { isInfrastructure } from "../kubernetes/workload";

const GROUP = "admissionregistration.k8s.io";
const LASTING: readonly string[] = ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"];
const KINDS = ["ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"] as const;

/**
 * Where some of the mesh's admission policies are, all of them are, each bound: what one refuses, no other does. That each is as it was reviewed is
 * `admission-policies`'s to judge; a stack that has none of them leaves them to another.
 */
export function missingAdmission(
  resources: readonly StackResource[],
  ceiling: Pick<Ceiling, "members" | "infrastructure">,
): StackFinding[] {
  const found = new Set<string>();
  const bearers: StackResource[] = [];
  const inhabited = new Set<string>();
  for (const resource of resources) {
    // What can't be told is found where the object itself is judged, and is none of the policies.
    findingsIn(resource, () => {
      const object = KubeObject.of(resource);
      if (object === undefined) return;
      const isPolicy = object.group === GROUP && Object.hasOwn(SEALS, object.name ?? "");
      if (isPolicy) found.add(`${object.kind} ${object.name ?? ""}`);
      if (podTemplates(object).some((template) => isLasting(object) && !isInfrastructure(object, template, ceiling)))
        inhabited.add(object.namespace.text() ?? "");
      if (isPolicy) bearers.push(resource);
    });
  }
  const [bearer] = bearers;
  if (bearer === undefined) return [];
  const missing = KINDS.flatMap((kind) => Object.keys(SEALS).map((name) => `${kind} ${name}`)).filter(
    (title) => !found.has(title),
  );
  return [
    ...findingsIn(bearer, (_, findings) => {
      findings.require(
        missing.length === 0,
        "",
        `the plan lacks ${missing.join(", ")}, so the API server would let in what they refuse`,
        "have ServiceMesh register all of them",
      );
    }),
    ...resources
      .filter(isKept)
      .flatMap((resource) => findingsIn(resource, (_, findings) => judgeKept(resource, inhabited, findings))),
  ];
}

/** Whether there are pods of it as long as it is there; a revoked service's Deployment is to have none. */
function isLasting(object: KubeObject): boolean {
  return LASTING.includes(object.kind) && object.concernsMesh && !object.spec.at("replicas").is(0);
}

function isKept(resource: StackResource): boolean {
  const object = KubeObject.of(resource);
  return object?.group === GROUP && object.kind === KINDS[0] && object.metadata.at("name").is("lucid-kept");
}

/** The default deny of each zone that has pods is kept: a zone that isn't listed is taken for empty. */
function judgeKept(resource: StackResource, inhabited: ReadonlySet<string>, findings: Findings): void {
  const variable = resource.properties
    .at("spec", "variables")
    .items()
    .find((candidate) => candidate.at("name").is("inhabited"));
  const listed = variable?.at("expression").text() ?? "";
  const missing = [...inhabited].filter((namespace) => !listed.includes(JSON.stringify(namespace)));
  findings.require(
    missing.length === 0,
    "spec.variables",
    `pods run in ${missing.join(", ")}, whose default deny could be deleted`,
    "have ServiceMesh register the policy, which lists every namespace with pods",
  );
}
