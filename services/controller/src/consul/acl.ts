import { z } from "zod";
import { ACL_READER, aclNameOf, tokenNameIn } from "../../../../mesh/consul.js";
import { AccessRefused, type AccessControl, type AccessObject } from "../registry/access.js";
import { ConsulError, NoTokenError, type ConsulClient } from "./client.js";

/** Policies that Consul brings along, by their identifiers. Their rules can't be changed, what they are called can. */
const BUILT_IN_POLICIES: Readonly<Record<string, string>> = {
  "00000000-0000-0000-0000-000000000001": "global-management",
  "00000000-0000-0000-0000-000000000002": "builtin/global-read-only",
};
/** The token of whoever shows none. */
const ANONYMOUS = { accessor: "00000000-0000-0000-0000-000000000002", name: "anonymous" } as const;
/** How Consul describes the token that its servers are configured with. */
const INITIAL_MANAGEMENT = "Initial Management Token";
const MANAGEMENT = "global-management";

const orNone = <T extends z.ZodType>(item: T) =>
  z
    .array(item)
    .nullish()
    .transform((items): z.output<T>[] => items ?? []);
const text = z.string().default("");
const datacenters = orNone(z.string());
const index = z.number().int();
const link = z.object({ Name: z.string().default("?") });
const grants = {
  Policies: orNone(link),
  Roles: orNone(link),
  ServiceIdentities: orNone(z.object({ ServiceName: z.string(), Datacenters: datacenters })),
  NodeIdentities: orNone(z.object({ NodeName: z.string(), Datacenter: text })),
  TemplatedPolicies: orNone(
    z.object({
      TemplateName: z.string(),
      TemplateVariables: z.object({ name: text }).nullish(),
      Datacenters: datacenters,
    }),
  ),
};
const stamp = { Hash: text, ModifyIndex: index };

const policiesSchema = z.array(z.object({ ...stamp, ID: z.string(), Name: z.string(), Datacenters: datacenters }));
const policySchema = z.object({ ...stamp, Rules: text });
const rolesSchema = z.array(z.object({ ...stamp, ...grants, Name: z.string() }));
const tokensSchema = z.array(
  z.object({
    ...stamp,
    ...grants,
    AccessorID: z.string(),
    Description: text,
    AuthMethod: text,
    CreateTime: text,
    CreateIndex: index,
  }),
);
const methodsSchema = z.array(z.object({ Name: z.string(), Type: z.string(), ModifyIndex: index }));
const bindingsSchema = z.array(
  z.object({
    ID: z.string(),
    AuthMethod: z.string(),
    BindType: text,
    BindName: text,
    Selector: text,
    ModifyIndex: index,
  }),
);

type Stamp = z.output<z.ZodObject<typeof stamp>>;
type Granted = z.output<z.ZodObject<typeof grants>>;
type Token = z.output<typeof tokensSchema>[number];
type Grants = Record<"policies" | "roles" | "serviceIdentities" | "nodeIdentities" | "templatedPolicies", string[]>;

/**
 * Consul's ACLs (https://developer.hashicorp.com/consul/api-docs/acl), by a token that may read them: Consul shows it no token's secret. Five lists, and the rules of
 * each policy that has changed since.
 *
 * Tokens that somebody has by a login are left out: what a login gives its method and binding rules say, which are compared, and Consul takes them away with the method. Nobody
 * can make a token that only says it is one.
 */
export class ConsulAcl implements AccessControl {
  private rules = new Map<string, { readonly version: string; readonly rules: string }>();

  readonly reader = aclNameOf(ACL_READER);

  /** @param registrars by whom others are served */
  constructor(
    private readonly consul: ConsulClient<typeof ACL_READER>,
    private readonly registrars: Pick<ConsulClient, "lastSuccess">,
  ) {}

  get othersServed(): number | undefined {
    return this.registrars.lastSuccess;
  }

  async read(): Promise<readonly AccessObject[]> {
    try {
      return await this.readAll();
    } catch (error) {
      throw (await this.refusalOf(error)) ?? error;
    }
  }

  private async refusalOf(error: unknown): Promise<AccessRefused | undefined> {
    if (error instanceof NoTokenError) return new AccessRefused(error.message, false, { cause: error });
    if (!isRefusal(error)) return undefined;
    // A server that passed the question on says so.
    const reason = error.reason.replace(/^(rpc error making call: )+/, "");
    const why = `Consul answered ${String(error.status)}: ${reason}`;
    return new AccessRefused(why, await this.isKnown(), { cause: error });
  }

  /** Whether Consul knows the token: of itself it tells every one. */
  private async isKnown(): Promise<boolean> {
    try {
      await this.get("token/self");
      return true;
    } catch (error) {
      if (isRefusal(error)) return false;
      throw error;
    }
  }

  private async readAll(): Promise<readonly AccessObject[]> {
    const [policies, roles, tokens, methods, bindings] = await Promise.all([
      this.list("policies", policiesSchema),
      this.list("roles", rolesSchema),
      this.list("tokens", tokensSchema),
      this.list("auth-methods", methodsSchema),
      this.list("binding-rules", bindingsSchema),
    ]);
    const logins = new Set(methods.map(({ Name }) => Name));
    return [
      ...(await this.policies(policies)),
      ...roles.map((role) => granting("AclRole", role.Name, role)).filter(givesSomething),
      ...tokenObjects(tokens.filter(({ AuthMethod }) => !logins.has(AuthMethod))),
      ...methods.map(({ Name, Type, ModifyIndex }): AccessObject => ({
        kind: "AclAuthMethod",
        name: Name,
        version: String(ModifyIndex),
        fields: { type: Type },
        gives: "a way to log in",
      })),
      ...bindings.map(({ ID, AuthMethod, BindType, BindName, Selector, ModifyIndex }): AccessObject => ({
        kind: "AclBindingRule",
        name: ID,
        version: String(ModifyIndex),
        fields: { authMethod: AuthMethod, bindType: BindType, bindName: BindName, selector: Selector },
        gives: `${BindType} ${BindName} to who logs in by ${AuthMethod}`,
      })),
    ];
  }

  /** What is listed of a policy has no rules; those of one that is as it was are known. */
  private async policies(listed: z.output<typeof policiesSchema>): Promise<AccessObject[]> {
    const before = this.rules;
    this.rules = new Map();
    const objects: AccessObject[] = [];
    for (const { ID, Name, Datacenters, ...stamped } of listed) {
      if (BUILT_IN_POLICIES[ID] === Name) continue;
      const version = versionOf(stamped);
      const known = before.get(ID);
      const rules =
        known?.version === version
          ? known.rules
          : policySchema.parse(await this.get(`policy/${encodeURIComponent(ID)}`)).Rules;
      this.rules.set(ID, { version, rules });
      const fields = { rules, datacenters: [...Datacenters].sort() };
      objects.push({ kind: "AclPolicy", name: Name, version, fields, gives: "what its rules say" });
    }
    return objects;
  }

  private async list<T>(what: string, schema: z.ZodType<T>): Promise<T> {
    return schema.parse(await this.get(what));
  }

  private get(path: string): Promise<unknown> {
    return this.consul.request(ACL_READER, "GET", `/v1/acl/${path}`);
  }
}

function isRefusal(error: unknown): error is ConsulError {
  return error instanceof ConsulError && (error.status === 401 || error.status === 403);
}

/** Of several that bear one name the oldest has it: the others are somebody's own, and known by what Consul calls them. */
function tokenObjects(tokens: readonly Token[]): AccessObject[] {
  const taken = new Set<string>();
  return [...tokens]
    .sort((one, other) => one.CreateIndex - other.CreateIndex)
    .flatMap((token) => {
      const name = nameOf(token);
      const isNamed = name !== undefined && !taken.has(name);
      if (isNamed) taken.add(name);
      if (isNamed && name === INITIAL_MANAGEMENT && isAsMade(token)) return [];
      const isMeshs = isNamed && tokenNameIn(token.Description) === name;
      const object = granting("AclToken", isNamed && name !== INITIAL_MANAGEMENT ? name : token.AccessorID, token);
      return isMeshs || givesSomething(object) ? [object] : [];
    });
}

function nameOf({ AccessorID, Description }: Token): string | undefined {
  if (AccessorID === ANONYMOUS.accessor) return ANONYMOUS.name;
  return Description === INITIAL_MANAGEMENT ? INITIAL_MANAGEMENT : tokenNameIn(Description);
}

/** Whether the servers' own token may do what it must, and has nothing besides. */
function isAsMade(token: Token): boolean {
  const { policies, ...others } = grantsOf(token);
  return policies.length === 1 && policies[0] === MANAGEMENT && Object.values(others).every(isEmpty);
}

function granting(
  kind: "AclRole" | "AclToken",
  name: string,
  granted: Granted & Stamp & { readonly CreateTime?: string },
): AccessObject {
  const fields = grantsOf(granted);
  const given = Object.entries(WORDS).flatMap(([field, word]) => {
    const names = fields[field as keyof Grants];
    return isEmpty(names) ? [] : [`${word} ${names.join(", ")}`];
  });
  const since = granted.CreateTime === undefined ? "" : `, since ${granted.CreateTime.replace(/\.\d+Z$/, "Z")}`;
  const whose = kind === "AclToken" && name === ANONYMOUS.name ? " to whoever shows no token" : since;
  return { kind, name, version: versionOf(granted), fields, gives: `${given.join(", ") || "nothing"}${whose}` };
}

function grantsOf({ Policies, Roles, ServiceIdentities, NodeIdentities, TemplatedPolicies }: Granted): Grants {
  return {
    policies: Policies.map(({ Name }) => Name).sort(),
    roles: Roles.map(({ Name }) => Name).sort(),
    serviceIdentities: ServiceIdentities.map(({ ServiceName, Datacenters }) => within(ServiceName, Datacenters)).sort(),
    nodeIdentities: NodeIdentities.map(({ NodeName, Datacenter }) => within(NodeName, [Datacenter])).sort(),
    templatedPolicies: TemplatedPolicies.map(({ TemplateName, TemplateVariables, Datacenters }) =>
      within(`${TemplateName} ${TemplateVariables?.name ?? ""}`.trim(), Datacenters),
    ).sort(),
  };
}

const WORDS: Readonly<Record<keyof Grants, string>> = {
  policies: "policy",
  roles: "role",
  serviceIdentities: "service identity",
  nodeIdentities: "node identity",
  templatedPolicies: "templated policy",
};

function givesSomething({ fields }: AccessObject): boolean {
  return !Object.values(fields as Grants).every(isEmpty);
}

function within(name: string, places: readonly string[]): string {
  const named = places.filter((place) => place !== "");
  return isEmpty(named) ? name : `${name} in ${[...named].sort().join(" ")}`;
}

function versionOf({ Hash, ModifyIndex }: Stamp): string {
  return `${String(ModifyIndex)}/${Hash}`;
}

function isEmpty(list: readonly unknown[]): boolean {
  return list.length === 0;
}
