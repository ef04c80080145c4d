import type { Ceiling } from "../ceiling";
import { CALL_PORT, ceilingAllows, isMember } from "../ceiling/edges";
import { digestOf } from "../admission/seal";
import { identityOf } from "../envoy/scope";
import definitionSeals from "../custom-resource/seals.json";
import type { Field } from "../judgement/field";
import type { Findings } from "../judgement/finding";
import type { Plain } from "../judgement/plain";
import type { ResourceRule } from "../judgement/rule";
import { KubeObject, isKind } from "../kubernetes/object";

/** Digests of the definitions that were reviewed, by their names. */
const SEALS: Readonly<Record<string, string>> = definitionSeals;
const GROUP = "mesh.lucid.internal";
const DOMAIN = "lucid.internal";

/** A `MeshService` declares a member as what it is, and the API server knows by a reviewed definition what a `MeshService` may say. */
export const declaredServices: ResourceRule = {
  name: "declared-services",
  description:
    "A MeshService declares a listed member with a sidecar, under its own identity, with calls that the ceiling lets be; the one CustomResourceDefinition is the reviewed one.",
  severity: "high",
  remediation: "Have ServiceMesh register the definition and the MeshServices, which it renders from the document.",
  uses: ["members", "infrastructure", "externals", "edges", "datacenter"],
  concerns: (type) => isKind(type, "MeshService", "CustomResourceDefinition"),
  judge(resource, ceiling, findings) {
    const object = KubeObject.of(resource);
    if (object?.kind === "CustomResourceDefinition") judgeDefinition(object, ceiling, findings);
    else if (object?.group === GROUP && object.concernsMesh) judgeService(object, ceiling, findings);
  },
};

function judgeDefinition({ metadata, spec }: KubeObject, ceiling: Ceiling, findings: Findings): void {
  const name = metadata.at("name").text() ?? "";
  const seal = Object.hasOwn(SEALS, name) ? SEALS[name] : undefined;
  findings.require(
    seal !== undefined,
    metadata.at("name"),
    `${metadata.at("name").shown()} defines objects that no rule models`,
    `take it out; the mesh has ${Object.keys(SEALS).join(", ")} alone`,
  );
  if (seal === undefined) return;
  const unknown = spec.leaves().find((leaf) => leaf.isUnknown);
  findings.require(
    unknown === undefined && digestOf(ofOneDatacenter(spec.plain, ceiling)) === seal,
    unknown ?? spec,
    "what it lets objects say, who converts them, or what their status is, is not what was reviewed",
    "render it with mesh/custom-resource; where that was changed, have the ceiling's owner renew its digest in policies/custom-resource/seals.json",
  );
}

/** A definition as it is in a mesh of one datacenter: identities are what bears one, and each that it names must. */
function ofOneDatacenter(spec: Plain, { datacenter }: Ceiling): Plain {
  if (datacenter === undefined) return spec;
  const parts = JSON.stringify(spec).split(`.${datacenter.name}.${DOMAIN}/`);
  return parts.some((part) => part.includes(`.${DOMAIN}/`)) ? null : (JSON.parse(parts.join(`.${DOMAIN}/`)) as Plain);
}

function judgeService(object: KubeObject, ceiling: Ceiling, findings: Findings): void {
  const { metadata, spec, body } = object;
  const zone = object.zone(ceiling) ?? "";
  const name = object.name ?? "";
  const party = `${zone}/${name}`;
  findings.require(
    isMember(party, ceiling) && !Object.hasOwn(ceiling.infrastructure, party),
    metadata.at("name"),
    `${metadata.at("name").shown()} is no member of zone ${zone} with a sidecar`,
    "take it out, or have the ceiling's owner list the member",
  );
  const identity = identityOf(zone, name, ceiling.datacenter?.name);
  const own: readonly (readonly [string, string])[] = [
    ["zone", zone],
    ["identity", identity],
    ["hostname", `${name}.${DOMAIN}`],
  ];
  for (const [key, value] of own) {
    const field = spec.at(key);
    findings.require(field.is(value), field, `the service's ${key} is ${field.shown()}`, `set it to ${value}`);
  }
  for (const call of spec.at("calls").items()) judgeCall(party, call, ceiling, findings);
  findings.require(
    body.at("status").isAbsent,
    body.at("status"),
    "the declaration says what only the controller can find",
    "take the status out",
  );
}

function judgeCall(from: string, call: Field, ceiling: Ceiling, findings: Findings): void {
  const to = `${call.at("zone").text() ?? ""}/${call.at("service").text() ?? ""}`;
  findings.require(
    (["egress", "ingress"] as const).some((side) => ceilingAllows(from, to, CALL_PORT, side, ceiling)),
    call,
    `it declares a call from ${from} to ${to}, which the ceiling does not let be`,
    "take it out, or have the ceiling's owner list the edge with a reason",
  );
}
