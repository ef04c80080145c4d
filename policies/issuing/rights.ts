/** What an issuer may do in the Kubernetes API, and that nobody else may. */
import type { Ceiling } from "../ceiling";
import { isMember } from "../ceiling/edges";
import type { Field } from "../judgement/field";
import type { Findings } from "../judgement/finding";
import type { KubeObject } from "../kubernetes/object";
import { ISSUER_NAMESPACE, ISSUER_ROLE, ISSUING_POLICY, issuerOf, SIGNING_SECRET } from "./names";

/** What follows a service's name in the names of what its issuer writes. */
const WRITTEN: Readonly<Record<string, string>> = { secrets: "-tls", configmaps: "-certificate" };
const MESH_SERVICES = "meshservices";

/** Whether a Role is that of a zone's issuer. */
export function isIssuerRole(object: KubeObject): boolean {
  return object.kind === "Role" && object.metadata.at("name").is(ISSUER_ROLE);
}

/**
 * A zone's issuer reads its own key and policy, creates and changes the certificates of the zone's members one by one, and takes nothing away.
 *
 * `create` has no names in Kubernetes: that it creates these alone is the admission policies' to see to (`lucid-issued-secrets`).
 */
export function judgeIssuerRole(
  object: KubeObject,
  ceiling: Pick<Ceiling, "members" | "infrastructure">,
  findings: Findings,
): void {
  const zone = object.zone(ceiling) ?? "";
  for (const rule of object.body.at("rules").items()) {
    const verbs = rule.at("verbs").texts();
    const names = rule.at("resourceNames").items();
    const resources = rule.at("resources").texts();
    const isReadingServices =
      resources.join() === MESH_SERVICES && verbs.every((verb) => ["get", "list", "watch"].includes(verb));
    const isCreating = names.length === 0 && verbs.join() === "create" && isOneOf(resources);
    const isItsOwn =
      verbs.join() === "get" &&
      names.length === 1 &&
      isOneOf(resources) &&
      names[0]?.is(resources[0] === "secrets" ? SIGNING_SECRET : ISSUING_POLICY) === true;
    const isWriting =
      isOneOf(resources) &&
      names.length > 0 &&
      verbs.every((verb) => ["get", "patch"].includes(verb)) &&
      names.every((name) => isWritten(name, resources[0] ?? "", zone, ceiling));
    findings.require(
      isReadingServices || isCreating || isItsOwn || isWriting,
      rule,
      "the issuer may do more than read its own key and policy and write the certificates of the zone's members",
      "name them one by one, as ZoneIssuing does",
    );
  }
}

function isOneOf(resources: readonly string[]): boolean {
  return resources.length === 1 && Object.hasOwn(WRITTEN, resources[0] ?? "");
}

function isWritten(
  name: Field,
  resource: string,
  zone: string,
  ceiling: Pick<Ceiling, "members" | "infrastructure">,
): boolean {
  const suffix = WRITTEN[resource] ?? "";
  const text = name.text() ?? "";
  const party = `${zone}/${text.slice(0, -suffix.length)}`;
  return text.endsWith(suffix) && isMember(party, ceiling) && !Object.hasOwn(ceiling.infrastructure, party);
}

/** A rule of any other Role leaves the key alone. */
export function judgeKeyReading(rule: Field, findings: Findings): void {
  if (!rule.at("resources").texts().includes("secrets")) return;
  for (const name of rule.at("resourceNames").items()) {
    findings.require(
      !name.is(SIGNING_SECRET),
      name,
      `the role reaches ${SIGNING_SECRET}, by which a zone's certificates are signed`,
      `take it out: ${ISSUER_ROLE} alone has it, for the zone's issuer`,
    );
  }
}

/** The Role of a zone's issuer is bound to it alone. */
export function judgeIssuerBinding(
  { body, kind, namespace }: KubeObject,
  zone: string | undefined,
  findings: Findings,
): void {
  const role = body.at("roleRef");
  if (kind !== "RoleBinding" || !role.at("name").is(ISSUER_ROLE)) return;
  const issuer = issuerOf(zone ?? "");
  for (const subject of body.at("subjects").items()) {
    findings.require(
      zone !== undefined &&
        subject.at("kind").is("ServiceAccount") &&
        subject.at("namespace").is(ISSUER_NAMESPACE) &&
        subject.at("name").is(issuer),
      subject,
      `${ISSUER_ROLE}, by which the certificates of ${namespace.shown()} are signed, is given to ${subject.at("name").shown()}`,
      `give it to ServiceAccount ${ISSUER_NAMESPACE}/${issuer} alone`,
    );
  }
}
