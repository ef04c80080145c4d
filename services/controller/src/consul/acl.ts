import type { z } from "zod";
import { ACL_READER, aclNameOf } from "../../../../mesh/consul.js";
import { AccessRefused, type AccessControl, type AccessObject } from "../registry/access.js";
import { AnswerTooLong } from "../registry/exchange.js";
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
import { ANONYMOUS, anonymousObject, givesSomething, granting, tokenObjects, versionOf } from "./acl-grants.js";
import { isRefusal, NoTokenError, type ConsulClient } from "./client.js";
import { Tokenless, type TokenlessConsul } from "./tokenless.js";

/** Policies that Consul brings along, by their identifiers. Their rules can't be changed, what they are called can. */
const BUILT_IN_POLICIES: Readonly<Record<string, string>> = {
  "00000000-0000-0000-0000-000000000001": "global-management",
  "00000000-0000-0000-0000-000000000002": "builtin/global-read-only",
};

/** Bytes of ACLs that are read and kept by one look, of all kinds together: those of 15,000 tokens. */
const LIMIT = 8 * 2 ** 20;

/** The rules of a policy, and of which version they are. */
interface KnownRules {
  readonly version: string;
  readonly rules: string;
}

/**
 * Consul's ACLs (https://developer.hashicorp.com/consul/api-docs/acl), by a token that may read them: Consul shows it no token's secret. Five lists, the rules of
 * each policy that has changed since, and what each server answers to whoever shows no token: its configuration may give him what no ACL does.
 *
 * Tokens that somebody has by a login, and that are as the login made them, are left out: what a login gives its method and binding rules say, which are compared, and Consul takes
 * them away with the method. By its API nobody can make a token that only says it is one; in a snapshot that was edited and restored one may say it of a method that isn't there.
 */
export class ConsulAcl implements AccessControl {
  readonly reader = aclNameOf(ACL_READER);
  private rules: ReadonlyMap<string, KnownRules> = new Map();

  private readonly tokenless: Tokenless;

  /** @param registrars by whom others are served */
  constructor(
    private readonly consul: TokenlessConsul,
    private readonly registrars: Pick<ConsulClient, "lastSuccess">,
    private readonly limit = LIMIT,
  ) {
    this.tokenless = new Tokenless(consul);
  }

  get othersServed(): number | undefined {
    return this.registrars.lastSuccess;
  }

  async read(): Promise<readonly AccessObject[]> {
    try {
      const reading = new Reading(this.consul, this.limit);
      // A server that doesn't answer is waited for meanwhile.
      const [openings, objects] = await Promise.all([this.tokenless.read(), this.readAll(reading)]);
      const isAnonymous = ({ kind, name }: AccessObject) => kind === "AclToken" && name === ANONYMOUS.name;
      const others = objects.filter((object) => !isAnonymous(object));
      return [...others, ...anonymousObject(objects.find(isAnonymous), openings)];
    } catch (error) {
      throw (await this.refusalOf(error)) ?? error;
    }
  }

  private async refusalOf(error: unknown): Promise<AccessRefused | undefined> {
    if (error instanceof NoTokenError) return new AccessRefused(error.message, false, { cause: error });
    if (error instanceof AnswerTooLong) {
      return new AccessRefused(`there are more than ${String(this.limit)} bytes of ACLs`, true, { cause: error });
    }
    if (!isRefusal(error)) return undefined;
    // A server that passed the question on says so.
    const reason = error.reason.replace(/^(rpc error making call: )+/, "");
    const why = `Consul answered ${String(error.status)}: ${reason}`;
    // By 401 a server says that it asks for no token at all.
    const isKnown = error.status === 401 || (await this.isKnown());
    return new AccessRefused(why, isKnown, { cause: error });
  }

  /** Whether Consul knows the token: of itself it tells every one. */
  private async isKnown(): Promise<boolean> {
    try {
      await new Reading(this.consul, this.limit).get("token/self");
      return true;
    } catch (error) {
      if (isRefusal(error)) return false;
      throw error;
    }
  }

  /** One list after the other. Tokens come before the methods by which they were made, and once more where a method is not there then: one that is still there didn't go with it. */
  private async readAll(reading: Reading): Promise<readonly AccessObject[]> {
    const tokens = await reading.list("tokens", tokensSchema);
    const policies = await this.policies(reading, await reading.list("policies", policiesSchema));
    const roles = await reading.list("roles", rolesSchema);
    const methods = await reading.list("auth-methods", methodsSchema);
    const bindings = await reading.list("binding-rules", bindingsSchema);
    const ways = new Set(methods.map(({ Name }) => Name));
    return [
      ...policies,
      ...roles.map((role) => granting("AclRole", role.Name, role)).filter(givesSomething),
      ...tokenObjects(await this.withoutLogins(reading, tokens, ways)),
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

  /** Tokens but those that give what their login gave, and those that went with their method. */
  private async withoutLogins(reading: Reading, tokens: readonly Token[], ways: ReadonlySet<string>): Promise<Token[]> {
    const others = tokens.filter((token) => !isAsLoggedIn(token) || !ways.has(token.AuthMethod));
    const hasLost = (token: Token) => token.AuthMethod !== "" && !ways.has(token.AuthMethod);
    if (!others.some(hasLost)) return others;
    const left = new Set((await reading.list("tokens", tokensSchema)).map(({ AccessorID }) => AccessorID));
    return others.filter((token) => !hasLost(token) || left.has(token.AccessorID));
  }

  /** What is listed of a policy has no rules; those of one that is as it was are known. */
  private async policies(reading: Reading, listed: readonly Policy[]): Promise<AccessObject[]> {
    const read = new Map<string, KnownRules>();
    const objects: AccessObject[] = [];
    for (const { ID, Name, Datacenters, ...stamped } of listed) {
      if (BUILT_IN_POLICIES[ID] === Name) continue;
      const version = versionOf(stamped);
      const known = this.rules.get(ID);
      const rules =
        known?.version === version
          ? reading.again(known.rules)
          : policySchema.parse(await reading.get(`policy/${encodeURIComponent(ID)}`)).Rules;
      read.set(ID, { version, rules });
      const fields = { rules, datacenters: [...Datacenters].sort() };
      objects.push({ kind: "AclPolicy", name: Name, version, fields, gives: "what its rules say" });
    }
    this.rules = read;
    return objects;
  }
}

/** What one look reads: all of it together is bounded. Who writes so many ACLs that they aren't looked through hides nothing by it. */
class Reading {
  /** @param left bytes that may be read yet */
  constructor(
    private readonly consul: Pick<ConsulClient<typeof ACL_READER>, "read">,
    private left: number,
  ) {}

  async list<T>(what: string, schema: z.ZodType<T>): Promise<T> {
    return schema.parse(await this.get(what));
  }

  async get(path: string): Promise<unknown> {
    const { value, bytes } = await this.consul.read(ACL_READER, `/v1/acl/${path}`, this.left);
    this.left -= bytes;
    return value;
  }

  /** What was read by another look, and is kept. */
  again(text: string): string {
    this.left -= Buffer.byteLength(text);
    if (this.left < 0) throw new AnswerTooLong(0);
    return text;
  }
}

/** Whether a token gives what a login gave, and nothing else. Who changes one afterwards may give it anything. */
function isAsLoggedIn({ AuthMethod, CreateIndex, ModifyIndex }: Token): boolean {
  return AuthMethod !== "" && ModifyIndex === CreateIndex;
}
