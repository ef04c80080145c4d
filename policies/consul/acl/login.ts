/** What logging in with a ServiceAccount's token brings (https://developer.hashicorp.com/consul/docs/security/acl/auth-methods/kubernetes). */
import type { AclObjects, AuthMethod, BindingRule, Grants } from "./objects";
import { NO_GRANTS } from "./objects";
import { comparedTexts, parseSelector, SelectorError } from "./selector";

/** A ServiceAccount as the auth method sees it. */
export interface Account {
  readonly namespace: string;
  readonly name: string;
  /** What it is called at Consul instead, by its annotation `consul.hashicorp.com/service-name`. */
  readonly calledAs?: string;
}

/** A rule of which it can't be told what it gives to whom. */
export class UnknownBinding extends Error {
  override readonly name = "UnknownBinding";

  constructor(
    readonly rule: BindingRule,
    message: string,
  ) {
    super(message);
  }
}

const FIELDS = ["serviceaccount.namespace", "serviceaccount.name"] as const;
/** Names that Consul takes for services and nodes. */
const IDENTITY = /^[a-z0-9]([a-z0-9_-]*[a-z0-9])?$/;
const VARIABLE = /\$\{\s*([\w.]+)\s*\}/g;

/** What an account is given by a method, and by which rules. None: it can't log in. */
export interface Login extends Grants {
  readonly rules: readonly BindingRule[];
}

/**
 * What an account is given when it logs in: all that the rules give which select it. A rule that makes a name that Consul does not take lets nobody in.
 *
 * @throws UnknownBinding
 */
export function login(account: Account, method: AuthMethod, objects: AclObjects): Login | undefined {
  const fields = new Map([
    [FIELDS[0], account.namespace],
    [FIELDS[1], account.calledAs ?? account.name],
  ] as const);
  const rules = objects.bindingRules.filter((rule) => rule.authMethod === method.name && selects(rule, fields));
  const given = rules.map((rule) => boundBy(rule, fields, objects));
  if (given.length === 0 || given.includes(undefined)) return undefined;
  const all = given.filter((grants) => grants !== undefined);
  const grants: Grants = {
    policies: all.flatMap(({ policies }) => [...policies]),
    roles: all.flatMap(({ roles }) => [...roles]),
    serviceIdentities: all.flatMap(({ serviceIdentities }) => [...serviceIdentities]),
    nodeIdentities: all.flatMap(({ nodeIdentities }) => [...nodeIdentities]),
    templatedPolicies: all.flatMap(({ templatedPolicies }) => [...templatedPolicies]),
  };
  const lists = Object.values(grants) as readonly (readonly unknown[])[];
  return lists.every((list) => list.length === 0) ? undefined : { ...grants, rules };
}

/**
 * Accounts that stand for all others: rules tell two accounts apart only by what their selectors compare with.
 *
 * @param known accounts that there are
 */
export function representativeAccounts(known: readonly Account[], { bindingRules }: AclObjects): readonly Account[] {
  const texts = new Set(bindingRules.flatMap((rule) => readable(rule, () => comparedTexts(rule.selector))));
  const namespaces = new Set([...known.map(({ namespace }) => namespace), ...texts, fresh(texts)]);
  const names = new Set([...texts, fresh(texts)]);
  const others = [...namespaces].flatMap((namespace) => [...names].map((name) => ({ namespace, name })));
  const isKnown = (account: Account) =>
    known.some(({ namespace, name }) => namespace === account.namespace && name === account.name);
  return [...known, ...others.filter((account) => !isKnown(account))];
}

function selects(rule: BindingRule, fields: ReadonlyMap<string, string>): boolean {
  return readable(rule, () => parseSelector(rule.selector, FIELDS))(fields);
}

/** Undefined where the rule makes a name that nobody can have: then the login fails. */
function boundBy(
  rule: BindingRule,
  fields: ReadonlyMap<string, string>,
  { policies, roles }: AclObjects,
): Grants | undefined {
  const name = interpolated(rule, rule.bindName, fields);
  switch (rule.bindType) {
    case "service":
      return IDENTITY.test(name)
        ? { ...NO_GRANTS, serviceIdentities: [{ service: name, datacenters: [] }] }
        : undefined;
    case "node":
      return IDENTITY.test(name) ? { ...NO_GRANTS, templatedPolicies: [nodeOf(name)] } : undefined;
    case "policy":
      return { ...NO_GRANTS, policies: policies.some((policy) => policy.name === name) ? [name] : builtIn(name) };
    case "role":
      return { ...NO_GRANTS, roles: roles.some((role) => role.name === name) ? [name] : [] };
    case "templated-policy": {
      const variable = interpolated(rule, rule.bindVariable, fields);
      return { ...NO_GRANTS, templatedPolicies: [{ template: rule.bindName, name: variable, datacenters: [] }] };
    }
    default:
      throw new UnknownBinding(rule, `it isn't known what the bind type ${JSON.stringify(rule.bindType)} gives`);
  }
}

/** A node's identity in the datacenter where one logs in, whichever that is. */
function nodeOf(name: string) {
  return { template: "builtin/node", name, datacenters: [] };
}

function builtIn(name: string): readonly string[] {
  return name === "global-management" || name === "builtin/global-read-only" ? [name] : [];
}

function interpolated(rule: BindingRule, text: string, fields: ReadonlyMap<string, string>): string {
  const whole = text.replace(VARIABLE, (_, name: string) => {
    const value = fields.get(name);
    if (value === undefined) throw new UnknownBinding(rule, `it isn't known what \${${name}} is`);
    return value.toLowerCase();
  });
  if (text.replace(VARIABLE, "").includes("${"))
    throw new UnknownBinding(rule, `${JSON.stringify(text)} has an expression that isn't read`);
  return whole;
}

function readable<T>(rule: BindingRule, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof SelectorError)
      throw new UnknownBinding(rule, `its selector can't be judged: ${error.message}`);
    throw error;
  }
}

/** A name that nothing compares with, of a form that Consul takes. */
function fresh(texts: ReadonlySet<string>): string {
  let name = "any-other";
  while (texts.has(name)) name += "-one";
  return name;
}
