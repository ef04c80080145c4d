import type { z } from "zod";
import { ACL_READER, aclNameOf } from "../../../../mesh/consul.js";
import { AccessRefused, type AccessControl, type AccessObject } from "../registry/access.js";
import {
  bindingsSchema,
  methodsSchema,
  policiesSchema,
  policySchema,
  rolesSchema,
  tokensSchema,
  type Policy,
  type Token,
} from "./acl-answers.js";
import { givesSomething, granting, tokenObjects, versionOf } from "./acl-grants.js";
import { ConsulError, NoTokenError, type ConsulClient } from "./client.js";

/** Policies that Consul brings along, by their identifiers. Their rules can't be changed, what they are called can. */
const BUILT_IN_POLICIES: Readonly<Record<string, string>> = {
  "00000000-0000-0000-0000-000000000001": "global-management",
  "00000000-0000-0000-0000-000000000002": "builtin/global-read-only",
};

/** The rules of a policy, and of which version they are. */
interface KnownRules {
  readonly version: string;
  readonly rules: string;
}

/**
 * Consul's ACLs (https://developer.hashicorp.com/consul/api-docs/acl), by a token that may read them: Consul shows it no token's secret. Five lists, and the rules of
 * each policy that has changed since.
 *
 * Tokens that somebody has by a login, and that are as the login made them, are left out: what a login gives its method and binding rules say, which are compared, and Consul takes
 * them away with the method. Nobody can make a token that only says it is one.
 */
export class ConsulAcl implements AccessControl {
  readonly reader = aclNameOf(ACL_READER);
  private rules: ReadonlyMap<string, KnownRules> = new Map();

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

  /** One list after the other. Tokens come before the methods by which they were made: one whose method is not there then has gone with it. */
  private async readAll(): Promise<readonly AccessObject[]> {
    const tokens = await this.list("tokens", tokensSchema);
    const policies = await this.policies(await this.list("policies", policiesSchema));
    const roles = await this.list("roles", rolesSchema);
    const methods = await this.list("auth-methods", methodsSchema);
    const bindings = await this.list("binding-rules", bindingsSchema);
    const ways = new Set(methods.map(({ Name }) => Name));
    return [
      ...policies,
      ...roles.map((role) => granting("AclRole", role.Name, role)).filter(givesSomething),
      ...tokenObjects(tokens.filter((token) => !isOfALogin(token, ways))),
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
  private async policies(listed: readonly Policy[]): Promise<AccessObject[]> {
    const read = new Map<string, KnownRules>();
    const objects: AccessObject[] = [];
    for (const { ID, Name, Datacenters, ...stamped } of listed) {
      if (BUILT_IN_POLICIES[ID] === Name) continue;
      const version = versionOf(stamped);
      const known = this.rules.get(ID);
      const rules =
        known?.version === version
          ? known.rules
          : policySchema.parse(await this.get(`policy/${encodeURIComponent(ID)}`)).Rules;
      read.set(ID, { version, rules });
      const fields = { rules, datacenters: [...Datacenters].sort() };
      objects.push({ kind: "AclPolicy", name: Name, version, fields, gives: "what its rules say" });
    }
    this.rules = read;
    return objects;
  }

  private async list<T>(what: string, schema: z.ZodType<T>): Promise<T> {
    return schema.parse(await this.get(what));
  }

  private get(path: string): Promise<unknown> {
    return this.consul.request(ACL_READER, "GET", `/v1/acl/${path}`);
  }
}

/** Whether a token gives what a login gives, and nothing else. Who changes one afterwards may give it anything. */
function isOfALogin({ AuthMethod, CreateIndex, ModifyIndex }: Token, ways: ReadonlySet<string>): boolean {
  return AuthMethod !== "" && (ModifyIndex === CreateIndex || !ways.has(AuthMethod));
}

function isRefusal(error: unknown): error is ConsulError {
  return error instanceof ConsulError && (error.status === 401 || error.status === 403);
}
