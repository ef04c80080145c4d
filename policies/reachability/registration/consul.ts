import { ACCESSES, NAMED_KINDS, WHOLE_KINDS, ruleText } from "../../consul/acl/authorizer";
import type { Authorizer, NamedKind, ResourceKind } from "../../consul/acl/authorizer";
import type { Credential, Directory, Entitlement, Item, Right } from "./model";

/** A credential of Consul's, with what decides about it. */
export interface ConsulCredential extends Credential {
  readonly authorizer: Authorizer;
}

export interface ConsulItem extends Item {
  readonly kind: ResourceKind;
  readonly name: string;
}

const TEXTS: Readonly<Record<NamedKind, string>> = {
  service: "service",
  node: "node",
  key: "key of the key-value store",
  session: "session on node",
  event: "event",
  query: "prepared query",
  agent: "agent",
};

/** Consul's catalogue and whatever else its ACLs are about, with who has a token for it. */
export class ConsulDirectory implements Directory {
  readonly backend = "consul";

  constructor(readonly credentials: readonly ConsulCredential[]) {}

  items(services: readonly string[], entitlements: readonly Entitlement[]): readonly ConsulItem[] {
    const known = new Set(services);
    const named = NAMED_KINDS.flatMap((kind) => {
      const { names, prefixes } = this.mentioned(kind, services, entitlements);
      return [
        ...names.map((name) => itemOf(kind, name, known)),
        ...prefixes.map((prefix) => otherItem(kind, prefix, [...names, ...prefixes])),
      ];
    });
    const whole = WHOLE_KINDS.map((kind): ConsulItem => ({
      text: kind === "acl" ? "ACLs" : `the ${kind}`,
      isName: false,
      kind,
      name: "",
    }));
    const intentions = named
      .filter(({ kind }) => kind === "service")
      .map(({ text, name }): ConsulItem => ({ text: `intentions to ${text}`, isName: false, kind: "intention", name }));
    return [...named, ...intentions, ...whole];
  }

  granted(credential: Credential, item: Item): readonly Right[] {
    const { authorizer } = credential as ConsulCredential;
    const { kind, name } = item as ConsulItem;
    return rightsOf(kind).filter((right) => authorizer.allows(kind, right, name));
  }

  groundOf(credential: Credential, item: Item): string {
    const { kind, name } = item as ConsulItem;
    const { rule } = (credential as ConsulCredential).authorizer.decide(kind, name);
    return rule === undefined
      ? "no rule is about it, and the default policy is deny"
      : `${rule.ground}, ${ruleText(rule)}`;
  }

  entitled(entitlement: Entitlement, item: Item): readonly Right[] {
    const { kind, name } = item as ConsulItem;
    const rights = rightsOf(kind);
    if (entitlement.isRoot) return rights;
    if (kind === "acl") return entitlement.writesAcls ? rights : entitlement.readsAcls ? ["read"] : [];
    const registers = entitlement.registers.has(name);
    if (kind === "service") return registers ? rights : entitlement.readsAll ? ["read"] : [];
    // Whoever reads a service reads who may call it.
    if (kind === "intention") return registers || entitlement.readsAll ? ["read"] : [];
    if (kind !== "node") return [];
    const isOwn = entitlement.nodePrefixes.some((prefix) => name.startsWith(prefix));
    return isOwn ? rights : entitlement.readsAll ? ["read"] : [];
  }

  /** Names and prefixes that rules and entitlements are about. All of a kind is one: what nobody mentions is decided alike. */
  private mentioned(kind: NamedKind, services: readonly string[], entitlements: readonly Entitlement[]) {
    const mentioned = this.credentials.map(({ authorizer }) => authorizer.mentioned(kind));
    const names = mentioned.flatMap((one) => one.names);
    const prefixes = ["", ...mentioned.flatMap((one) => one.prefixes)];
    if (kind === "service") names.push(...services);
    if (kind === "node") prefixes.push(...entitlements.flatMap(({ nodePrefixes }) => nodePrefixes));
    return { names: [...new Set(names)].sort(), prefixes: [...new Set(prefixes)].sort() };
  }
}

function itemOf(kind: NamedKind, name: string, services: ReadonlySet<string>): ConsulItem {
  const isName = kind === "service";
  const isService = isName && services.has(name);
  return { text: `the ${TEXTS[kind]} \`${name}\``, ...(isService ? { service: name } : {}), isName, kind, name };
}

function otherItem(kind: NamedKind, prefix: string, others: readonly string[]): ConsulItem {
  const which = prefix === "" ? "" : ` that begins with \`${prefix}\``;
  const name = otherBelow(prefix, others);
  return { text: `every other ${TEXTS[kind]}${which}`, isName: kind === "service", kind, name };
}

/** A name below a prefix that is none of the others and below no longer one of them. */
function otherBelow(prefix: string, others: readonly string[]): string {
  const taken = new Set(others.filter((other) => other.startsWith(prefix)).map((other) => other.charAt(prefix.length)));
  let code = "~".charCodeAt(0);
  while (taken.has(String.fromCharCode(code))) code += 1;
  return prefix + String.fromCharCode(code);
}

function rightsOf(kind: ResourceKind): readonly Right[] {
  return kind === "key" ? ACCESSES : ACCESSES.filter((access) => access !== "list");
}
