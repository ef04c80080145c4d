import type { AclPolicyArgs, AclTokenArgs } from "@pulumi/consul";
import { createHash } from "node:crypto";

import type { Field, FieldsOf } from "../protocol/fields";
import type { CheckRequest } from "../protocol/provider";
import { isProperties, type Properties, type Value } from "../protocol/values";
import type { AclKind } from "./acl-resource";

const changeable: Field = { type: "string", default: "", inPlace: true };
const list: Field = { type: "strings", default: [], inPlace: true };
/** Consul Enterprise has it. */
const enterprise: Field = { type: "string", default: "", notImplemented: true };
const identities: Field = { type: "strings", default: [], notImplemented: true };

/** Hexadecimal digits that Pulumi's generated names end in. */
const SUFFIX_DIGITS = 7;

const POLICY_FIELDS: FieldsOf<AclPolicyArgs> = {
  name: { type: "string", inPlace: true },
  description: changeable,
  rules: { type: "string", required: true, inPlace: true },
  datacenters: list,
  namespace: enterprise,
  partition: enterprise,
};

/** `consul.AclPolicy`. */
export const POLICY: AclKind = {
  path: "policy",
  fields: POLICY_FIELDS,
  sets: ["datacenters"],
  computed: [],
  idMember: "ID",
  complete: (request) => ({ name: generatedName(request) }),
  toConsul: ({ name, description, rules, datacenters }) => ({
    Name: name ?? "",
    Description: description ?? "",
    Rules: rules ?? "",
    Datacenters: datacenters ?? [],
  }),
  fromConsul: ({ Name, Description, Rules, Datacenters, Namespace, Partition }) => ({
    name: Name ?? "",
    description: Description ?? "",
    rules: Rules ?? "",
    datacenters: Datacenters ?? [],
    namespace: Namespace ?? "",
    partition: Partition ?? "",
  }),
};

const TOKEN_FIELDS: FieldsOf<AclTokenArgs> = {
  accessorId: { type: "string" },
  description: changeable,
  policies: list,
  roles: list,
  local: { type: "boolean", default: false },
  expirationTime: { type: "string", default: "" },
  serviceIdentities: identities,
  nodeIdentities: identities,
  templatedPolicies: identities,
  namespace: enterprise,
  partition: enterprise,
};

/** `consul.AclToken`. Its secret is no output: it is asked for by `getAclTokenSecretId`. */
export const TOKEN: AclKind = {
  path: "token",
  fields: TOKEN_FIELDS,
  sets: ["policies", "roles"],
  computed: ["accessorId"],
  idMember: "AccessorID",
  toConsul: ({ accessorId, description, policies, roles, local, expirationTime }) => ({
    ...(typeof accessorId === "string" ? { AccessorID: accessorId } : {}),
    ...(typeof expirationTime === "string" && expirationTime !== "" ? { ExpirationTime: expirationTime } : {}),
    Description: description ?? "",
    Policies: links(policies),
    Roles: links(roles),
    Local: local ?? false,
  }),
  fromConsul: ({ AccessorID, Description, Policies, Roles, Local, ExpirationTime, Namespace, Partition }) => ({
    accessorId: AccessorID ?? "",
    description: Description ?? "",
    policies: linkNames(Policies),
    roles: linkNames(Roles),
    local: Local ?? false,
    // Without fractions of a second, as the official provider writes it.
    expirationTime: typeof ExpirationTime === "string" ? ExpirationTime.replace(/\.\d+/, "") : "",
    serviceIdentities: [],
    nodeIdentities: [],
    templatedPolicies: [],
    namespace: Namespace ?? "",
    partition: Partition ?? "",
  }),
};

/** Names of the policies or roles that a token of Consul's answer is linked to. */
export function linkNames(value: Value | undefined): string[] {
  return Array.isArray(value)
    ? value.flatMap((link) => (isProperties(link) && typeof link.Name === "string" ? [link.Name] : []))
    : [];
}

/** Links to policies or roles by name, as Consul takes them. */
export function links(names: Value | undefined): Properties[] {
  return Array.isArray(names) ? names.map((name) => ({ Name: name })) : [];
}

/** The name that the policy has already, else the resource's own with random digits, as the official provider names it. */
function generatedName({ olds, randomSeed, context }: CheckRequest): string {
  if (typeof olds.name === "string") {
    return olds.name;
  }
  const digits = createHash("sha256").update(randomSeed).update(context.urn).digest("hex").slice(0, SUFFIX_DIGITS);
  return `${context.name}-${digits}`;
}
