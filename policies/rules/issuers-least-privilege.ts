import type { Ceiling } from "../ceiling";
import { isMember } from "../ceiling/edges";
import { ISSUING_POLICY } from "../issuing/names";
import { checkIssuer, isIssuer } from "../issuing/program";
import { isIssuerRole, judgeIssuerBinding, judgeIssuerRole, judgeKeyReading } from "../issuing/rights";
import type { Field } from "../judgement/field";
import type { Findings } from "../judgement/finding";
import type { ResourceRule } from "../judgement/rule";
import { isKind, KubeObject } from "../kubernetes/object";
import { allContainers, makesPods, podTemplates } from "../kubernetes/pods";
import { LONGEST_DAYS } from "../tls/resources";

/** Whoever signs for a zone signs for its listed members and for nobody else, and nobody else has its key. */
export const issuersLeastPrivilege: ResourceRule<"longestLeafHours"> = {
  name: "issuers-least-privilege",
  description:
    "An issuer runs that program alone, for its own zone; it makes short certificates for listed members with a sidecar; its right is its own, and narrowed to them.",
  severity: "critical",
  remediation: "Have ServiceMesh declare issuers and what each zone gives them (autoRotateCerts).",
  uses: ["members", "infrastructure", "datacenter"],
  parameters: {
    longestLeafHours: {
      default: LONGEST_DAYS.leaf * 24,
      minimum: 1,
      maximum: LONGEST_DAYS.leaf * 24,
      description: "Longest life of a certificate that an issuer makes, in hours.",
    },
  },
  concerns: (type) => makesPods(type) || isKind(type, "ConfigMap", "Role", "ClusterRole", "RoleBinding"),
  judge(resource, ceiling, findings, { longestLeafHours }) {
    const object = KubeObject.of(resource);
    if (object === undefined) return;
    if (object.kind.endsWith("Role")) {
      for (const rule of isIssuerRole(object) ? [] : object.body.at("rules").items()) judgeKeyReading(rule, findings);
    }
    if (!object.concernsMesh) return;
    if (isIssuerRole(object)) judgeIssuerRole(object, ceiling, findings);
    judgeIssuerBinding(object, object.zone(ceiling), findings);
    for (const { spec } of podTemplates(object)) {
      for (const { field } of allContainers(spec)) if (isIssuer(spec, field)) checkIssuer(spec, field, findings);
    }
    if (object.groupKind === "core/ConfigMap" && object.metadata.at("name").is(ISSUING_POLICY))
      judgePolicy(object, ceiling, longestLeafHours, findings);
  },
};

function judgePolicy(object: KubeObject, ceiling: Ceiling, longestHours: number, findings: Findings): void {
  const data = object.body.at("data");
  const zone = object.zone(ceiling) ?? "";
  for (const service of linesOf(data.at("services"))) {
    const party = `${zone}/${service}`;
    findings.require(
      isMember(party, ceiling) && !Object.hasOwn(ceiling.infrastructure, party),
      data.at("services"),
      `the zone's issuer would make a certificate for ${party}, which is no listed member with a sidecar`,
      "take it out, or have the ceiling's owner list it",
    );
  }
  const { name } = ceiling.datacenter ?? {};
  const datacenter = data.at("datacenter");
  findings.require(
    datacenter.text() === name,
    datacenter,
    `certificates would bear ${datacenter.isEmpty ? "no datacenter's name" : `the datacenter ${datacenter.shown()}`}`,
    name === undefined ? "leave it out: the mesh is in one datacenter" : `set it to ${name}, which is judged`,
  );
  const hours = Number(data.at("validityHours").text());
  findings.require(
    Number.isInteger(hours) && hours >= 1 && hours <= longestHours,
    data.at("validityHours"),
    `certificates would live ${data.at("validityHours").shown()} hours`,
    `let them live ${String(longestHours)} hours at most`,
  );
  findings.require(
    data.at("algorithm").isOneOf(["ECDSA", "RSA"]),
    data.at("algorithm"),
    `keys would be of the kind ${data.at("algorithm").shown()}`,
    "take ECDSA or RSA",
  );
}

function linesOf(field: Field): readonly string[] {
  return (field.text() ?? "").split("\n").filter((line) => line !== "");
}
