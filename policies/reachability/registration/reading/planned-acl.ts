/** Consul's ACL objects in a plan. */
import { parseAclRules } from "../../../consul/acl-rules";
import type { AclObjects, AclPolicy, AclRole, AclToken, AuthMethod, BindingRule } from "../../../consul/acl/objects";
import { Unjudgeable } from "../../../judgement/field";
import type { Field } from "../../../judgement/field";
import type { StackResource } from "../../../judgement/rule";
import type { ObjectFinding } from "../../network";
import { refuseUnknownFields, requiredText } from "../../network/reading/fields";
import { readIdentities } from "./identities";

const PREFIX = "consul:index/";

/** Consul's ACL objects, and what of them can't be judged. */
export interface AclReading {
  readonly objects: AclObjects;
  readonly findings: readonly ObjectFinding[];
}

/** How a token is called in messages, and known by among holders. */
export function aclTitle({ type, name }: Pick<StackResource, "type" | "name">): string {
  return `${type.split(":").at(-1) ?? type} ${name}`;
}

/** Reads the resources of `@pulumi/consul`. What else than ACL objects there is of them can't be judged. */
export function readPlannedAcl(resources: readonly StackResource[]): AclReading {
  const reader = new Reader(resources.filter(({ type }) => type.startsWith(PREFIX)));
  return { objects: reader.objects(), findings: reader.findings };
}

const KINDS = {
  policy: `${PREFIX}aclPolicy:AclPolicy`,
  role: `${PREFIX}aclRole:AclRole`,
  token: `${PREFIX}aclToken:AclToken`,
  authMethod: `${PREFIX}aclAuthMethod:AclAuthMethod`,
  bindingRule: `${PREFIX}aclBindingRule:AclBindingRule`,
  tokenPolicy: `${PREFIX}aclTokenPolicyAttachment:AclTokenPolicyAttachment`,
  tokenRole: `${PREFIX}aclTokenRoleAttachment:AclTokenRoleAttachment`,
  rolePolicy: `${PREFIX}aclRolePolicyAttachment:AclRolePolicyAttachment`,
} as const;
const MODELLED: readonly string[] = Object.values(KINDS);
/** What the token is called of whoever shows none. */
export const ANONYMOUS_TOKEN = "the anonymous token";
export const ANONYMOUS_ACCESSOR = "00000000-0000-0000-0000-000000000002";

class Reader {
  readonly findings: ObjectFinding[] = [];

  constructor(private readonly resources: readonly StackResource[]) {}

  objects(): AclObjects {
    for (const resource of this.resources.filter(({ type }) => !MODELLED.includes(type)))
      this.find(
        aclTitle(resource),
        "",
        `it isn't known what a ${resource.type} gives to whom`,
        "take it out, or have the evaluator model it",
      );
    this.refuseTwice(KINDS.policy);
    this.refuseTwice(KINDS.role);
    const anonymous = this.attachedTo(ANONYMOUS_ACCESSOR);
    return {
      policies: this.read(KINDS.policy, (resource) => this.policy(resource)),
      roles: this.read(KINDS.role, (resource) => this.role(resource)),
      tokens: [
        ...this.read(KINDS.token, (resource) => this.token(resource)),
        ...(anonymous === undefined ? [] : [anonymous]),
      ],
      authMethods: this.read(KINDS.authMethod, authMethod),
      bindingRules: this.read(KINDS.bindingRule, bindingRule),
    };
  }

  /** Tokens name policies and roles, of which one will stand where two have a name. */
  private refuseTwice(type: string): void {
    const named = this.resources.filter((resource) => resource.type === type && resource.properties.at("name").isText);
    for (const resource of named) {
      const name = resource.properties.at("name").text() ?? "";
      const other = named.find((candidate) => candidate !== resource && candidate.properties.at("name").is(name));
      if (other !== undefined)
        this.find(aclTitle(resource), "name", `is that of ${aclTitle(other)} too`, "take one out");
    }
  }

  private read<T>(type: string, read: (resource: StackResource) => T): T[] {
    return this.resources
      .filter((resource) => resource.type === type)
      .flatMap((resource) => {
        try {
          return [read(resource)];
        } catch (error) {
          if (!(error instanceof Unjudgeable)) throw error;
          this.find(aclTitle(resource), error.path, error.problem, error.mend);
          return [];
        }
      });
  }

  private policy(resource: StackResource): AclPolicy {
    const { properties } = resource;
    refuseOthers(properties, ["datacenters", "description", "name", "rules"]);
    const rules = parseAclRules(requiredText(properties.at("rules")));
    if (rules === undefined)
      throw new Unjudgeable(
        "rules",
        "are not written as Consul's rule language is read here",
        'write each as `<kind> "<name>" { policy = "read" }`',
      );
    return {
      name: requiredText(properties.at("name")),
      title: aclTitle(resource),
      rules,
      datacenters: properties.at("datacenters").texts(),
    };
  }

  private role(resource: StackResource): AclRole {
    const { properties } = resource;
    refuseOthers(properties, ["description", "name", "policies", "roles", ...IDENTITIES]);
    return {
      name: requiredText(properties.at("name")),
      title: aclTitle(resource),
      policies: [
        ...this.named(resource, "policies", KINDS.policy),
        ...this.attached(KINDS.rolePolicy, "roleId", resource).flatMap((attachment) =>
          this.named(attachment, "policy", KINDS.policy),
        ),
      ],
      roles: [],
      ...readIdentities(properties),
    };
  }

  private token(resource: StackResource): AclToken {
    const { properties } = resource;
    refuseOthers(properties, [
      "accessorId",
      "description",
      "expirationTime",
      "local",
      "policies",
      "roles",
      ...IDENTITIES,
    ]);
    const attached = (type: string) => this.attached(type, "tokenId", resource);
    return {
      title: aclTitle(resource),
      policies: [
        ...this.named(resource, "policies", KINDS.policy),
        ...attached(KINDS.tokenPolicy).flatMap((attachment) => this.named(attachment, "policy", KINDS.policy)),
      ],
      roles: [
        ...this.named(resource, "roles", KINDS.role),
        ...attached(KINDS.tokenRole).flatMap((attachment) => this.named(attachment, "role", KINDS.role)),
      ],
      ...readIdentities(properties),
    };
  }

  /** A token that isn't of this plan, with what the plan attaches to it. */
  private attachedTo(tokenId: string): AclToken | undefined {
    const attached = (type: string) =>
      this.resources.filter((resource) => resource.type === type && resource.properties.at("tokenId").is(tokenId));
    const policies = attached(KINDS.tokenPolicy).flatMap((attachment) =>
      this.named(attachment, "policy", KINDS.policy),
    );
    const roles = attached(KINDS.tokenRole).flatMap((attachment) => this.named(attachment, "role", KINDS.role));
    return policies.length + roles.length === 0
      ? undefined
      : {
          title: ANONYMOUS_TOKEN,
          policies,
          roles,
          serviceIdentities: [],
          nodeIdentities: [],
          templatedPolicies: [],
        };
  }

  /** What is attached to an object: attachments whose id comes from it. */
  private attached(type: string, property: string, to: StackResource): StackResource[] {
    return this.resources.filter(
      (resource) => resource.type === type && resource.origins(property).some(({ urn }) => urn === to.urn),
    );
  }

  /** Names of objects of this plan. What isn't known yet is all that the property comes from. */
  private named(resource: StackResource, property: string, type: string): string[] {
    const field = resource.properties.at(property);
    const items = field.isUnknown || field.isText ? [field] : field.items();
    const known = items.filter((item) => !item.isUnknown).map(requiredText);
    if (known.length === items.length) return known;
    const origins = resource.origins(property).filter((origin) => origin.type === type);
    if (origins.length === 0)
      throw new Unjudgeable(
        field.path,
        "can't be known before the update, and comes from no object of the plan",
        "name an object of the same stack",
      );
    return [...new Set([...known, ...origins.map((origin) => requiredText(origin.properties.at("name")))])];
  }

  private find(object: string, path: string, problem: string, mend: string): void {
    this.findings.push({ object, path, problem, mend });
  }
}

/** Parts of Consul Enterprise by which names mean something else; what was deployed says that it is in none. */
const ENTERPRISE = ["namespace", "partition"];

/** @throws Unjudgeable */
function refuseOthers(properties: Field, known: readonly string[]): void {
  const inNone = ENTERPRISE.filter((key) => properties.at(key).isAbsentOr(""));
  refuseUnknownFields(properties, [...known, ...inNone]);
}

const IDENTITIES = ["serviceIdentities", "nodeIdentities", "templatedPolicies"];

function authMethod(resource: StackResource): AuthMethod {
  const { properties } = resource;
  return {
    name: requiredText(properties.at("name")),
    title: aclTitle(resource),
    type: requiredText(properties.at("type")),
  };
}

function bindingRule(resource: StackResource): BindingRule {
  const text = (...keys: readonly string[]) => optionalText(resource.properties.at(...keys));
  refuseOthers(resource.properties, ["authMethod", "bindName", "bindType", "bindVars", "description", "selector"]);
  return {
    title: aclTitle(resource),
    authMethod: requiredText(resource.properties.at("authMethod")),
    bindType: requiredText(resource.properties.at("bindType")),
    bindName: text("bindName"),
    bindVariable: text("bindVars", "name"),
    selector: text("selector"),
  };
}

function optionalText(field: Field): string {
  return field.text() ?? "";
}
