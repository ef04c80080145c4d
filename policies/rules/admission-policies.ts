import { DATA } from "../admission/data";
import { SEALS } from "../admission/seals";
import { baseOf, digestOf } from "../admission/seal";
import type { Ceiling } from "../ceiling";
import type { Field } from "../judgement/field";
import type { Findings } from "../judgement/finding";
import type { ResourceRule } from "../judgement/rule";
import { KubeObject, isKind } from "../kubernetes/object";

const POLICY = "ValidatingAdmissionPolicy";
const BINDING = "ValidatingAdmissionPolicyBinding";

/** What the API server refuses is what this pack refuses: the reviewed policies, unloosened, with data within the ceiling. */
export const admissionPolicies: ResourceRule = {
  name: "admission-policies",
  description:
    "Admission policies are the reviewed ones, fail closed, deny, and let nothing be that the ceiling does not list.",
  severity: "critical",
  remediation: "Have ServiceMesh register them; declare in mesh.yaml what they are to let be.",
  uses: [
    "members",
    "infrastructure",
    "externals",
    "edges",
    "outside",
    "datacenter",
    "links",
    "images",
    "sidecarImage",
    "startGateImages",
  ],
  concerns: (type) => isKind(type, POLICY, BINDING),
  judge(resource, ceiling, findings) {
    const object = KubeObject.of(resource);
    if (object === undefined) return;
    const name = object.name ?? "";
    const seal = Object.hasOwn(SEALS, name) ? SEALS[name] : undefined;
    if (seal === undefined) {
      const listed = Object.keys(SEALS).join(", ");
      findings.add("metadata.name", `\`${name}\` is no admission policy of the mesh`, `take one of ${listed}`);
    } else if (object.kind === POLICY) {
      judgePolicy(object.spec, seal, ceiling, findings);
    } else {
      judgeBinding(object.spec, name, findings);
    }
  },
};

function judgePolicy(spec: Field, seal: string, ceiling: Ceiling, findings: Findings): void {
  const failure = spec.at("failurePolicy");
  findings.require(
    failure.is("Fail"),
    failure,
    `what can't be judged would be let in (failurePolicy ${failure.shown()})`,
    "set it to `Fail`",
  );
  for (const variable of spec.at("variables").items()) {
    const name = variable.at("name").text() ?? "";
    const read = Object.hasOwn(DATA, baseOf(name)) ? DATA[baseOf(name)] : undefined;
    const expression = variable.at("expression").text() ?? "";
    if (read === undefined || isListOfParts(expression, name)) continue;
    for (const [problem, mend] of read(parsed(expression), ceiling)) findings.add(variable, problem, mend);
  }
  const unknown = spec.leaves().find((leaf) => leaf.isUnknown);
  findings.require(
    unknown === undefined && digestOf(spec.plain) === seal,
    unknown ?? spec,
    "what the policy matches, or what it asks, is not what was reviewed",
    "render it with admission/; where that was changed, have the ceiling's owner renew its digest in policies/admission/seals.json",
  );
}

/** `[variables.services0,variables.services1]`: the parts are judged by themselves. */
function isListOfParts(expression: string, name: string): boolean {
  const parts = expression.startsWith("[") && expression.endsWith("]") ? expression.slice(1, -1).split(",") : [];
  return parts.length > 0 && parts.every((part, index) => part === `variables.${name}${String(index)}`);
}

/** JSON is the form of data. */
function parsed(expression: string): unknown {
  try {
    return JSON.parse(expression);
  } catch {
    return undefined;
  }
}

function judgeBinding(spec: Field, name: string, findings: Findings): void {
  findings.require(
    spec.at("policyName").is(name),
    spec.at("policyName"),
    `the binding is of another policy (${spec.at("policyName").shown()})`,
    `bind ${name}, whose name it bears`,
  );
  const actions = spec.at("validationActions");
  findings.require(
    actions.items().length === 1 && actions.items()[0]?.is("Deny") === true,
    actions,
    "what the policy refuses would be let in, with a warning at most",
    "set validationActions to [Deny]",
  );
  for (const key of ["matchResources", "paramRef"]) {
    findings.require(
      spec.at(key).isEmpty,
      spec.at(key),
      "the binding narrows what the policy looks at",
      "take it out: the policy itself says what it matches",
    );
  }
}
