/** Consul's ACL objects as its API tells them. */
import { parseAclRules } from "../../../consul/acl-rules";
import { Field, Unjudgeable } from "../../../judgement/field";
import type { Plain } from "../../../judgement/plain";
import { requiredText } from "../../network/reading/fields";
import { readIdentities } from "./identities";
import { ANONYMOUS_ACCESSOR, ANONYMOUS_TOKEN } from "./planned-acl";
import type { AclReading } from "./planned-acl";

/**
 * Reads lists of what `/v1/acl/policy/<id>`, `/v1/acl/roles`, `/v1/acl/tokens`, `/v1/acl/auth-methods` and `/v1/acl/binding-rules` answer
 * (https://developer.hashicorp.com/consul/api-docs/acl), each under its name: `policies`, `roles`, `tokens`, `authMethods`, `bindingRules`. Tokens' secrets are not read.
 */
export function readReportedAcl(reported: Plain): AclReading {
  const findings: AclReading["findings"][number][] = [];
  const document = new Field(decapitalized(reported));
  const read = <T>(list: keyof AclReading["objects"], readOne: (field: Field) => T): T[] => {
    try {
      const field = document.at(list);
      if (!field.isList)
        throw new Unjudgeable(list, "is no list of what Consul's API answers", "give it, empty where there is nothing");
      return field.items().map(readOne);
    } catch (error) {
      if (!(error instanceof Unjudgeable)) throw error;
      findings.push({ object: "Consul's ACL objects", path: error.path, problem: error.problem, mend: error.mend });
      return [];
    }
  };
  const objects = {
    policies: read("policies", (field) => ({
      name: requiredText(field.at("name")),
      title: `policy ${requiredText(field.at("name"))}`,
      rules: rulesOf(field.at("rules")),
      datacenters: field.at("datacenters").texts(),
    })),
    roles: read("roles", (field) => ({
      name: requiredText(field.at("name")),
      title: `role ${requiredText(field.at("name"))}`,
      policies: namesIn(field.at("policies")),
      roles: [],
      ...readIdentities(field),
    })),
    tokens: read("tokens", (field) => ({
      title: tokenTitle(field),
      policies: namesIn(field.at("policies")),
      roles: namesIn(field.at("roles")),
      ...readIdentities(field),
    })),
    authMethods: read("authMethods", (field) => ({
      name: requiredText(field.at("name")),
      title: `auth method ${requiredText(field.at("name"))}`,
      type: requiredText(field.at("type")),
    })),
    bindingRules: read("bindingRules", (field) => ({
      title: `binding rule ${requiredText(field.at("iD"))}`,
      authMethod: requiredText(field.at("authMethod")),
      bindType: requiredText(field.at("bindType")),
      bindName: field.at("bindName").text() ?? "",
      bindVariable: field.at("bindVars", "name").text() ?? "",
      selector: field.at("selector").text() ?? "",
    })),
  };
  return { objects, findings };
}

function rulesOf(field: Field) {
  const rules = parseAclRules(field.text() ?? "");
  if (rules === undefined)
    throw new Unjudgeable(field.path, "are not written as Consul's rule language is read here", "mend them at Consul");
  return rules;
}

function namesIn(links: Field): string[] {
  return links.items().map((link) => requiredText(link.at("name")));
}

function tokenTitle(token: Field): string {
  const accessor = requiredText(token.at("accessorID"));
  if (accessor === ANONYMOUS_ACCESSOR) return ANONYMOUS_TOKEN;
  const description = token.at("description").text() ?? "";
  return `token ${accessor}${description === "" ? "" : ` (${description})`}`;
}

/** `serviceName` for `ServiceName`: the provider and the API differ in nothing else. */
function decapitalized(value: Plain): Plain {
  if (Array.isArray(value)) return (value as readonly Plain[]).map(decapitalized);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, field]) => [key.charAt(0).toLowerCase() + key.slice(1), decapitalized(field)]),
  );
}
