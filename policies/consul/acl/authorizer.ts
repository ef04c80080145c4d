/**
 * What Consul lets the bearer of some policies do, as its own authorizer decides it
 * (https://developer.hashicorp.com/consul/docs/security/acl/acl-rules; `acl/policy_merger.go` and `acl/policy_authorizer.go` of Consul 1.21).
 */
import type { AclRule } from "../acl-rules";

/** What an ACL rule can be about, by name. */
export const NAMED_KINDS = ["service", "node", "key", "session", "event", "query", "agent"] as const;
/** What it can be about as a whole. */
export const WHOLE_KINDS = ["acl", "operator", "keyring", "mesh", "peering"] as const;

export type NamedKind = (typeof NAMED_KINDS)[number];
export type WholeKind = (typeof WHOLE_KINDS)[number];
/** What may be asked about: intentions are spoken of in rules about services. */
export type ResourceKind = NamedKind | WholeKind | "intention";
export type Access = "read" | "list" | "write";

/** Which of what may be done, in the order in which each includes the ones before. `list` is of keys alone. */
export const ACCESSES: readonly Access[] = ["read", "list", "write"];

/** A rule, and what it comes from: `AclPolicy lucid-registrar-ops`, with the role that gives it. */
export interface GroundedRule extends AclRule {
  readonly ground: string;
}

export type DefaultPolicy = "allow" | "deny";

/** What decides about one name: a level, and the rule that says it; no rule: the default policy. */
export interface Decision {
  readonly level: Level | undefined;
  readonly rule: GroundedRule | undefined;
}

export type Level = "deny" | "read" | "list" | "write";

/** Of several rules about the same name or prefix the first of these counts. */
const PRECEDENCE: readonly Level[] = ["deny", "write", "list", "read"];
const PREFIX = "_prefix";

/** A rule of a kind, or with a word, that Consul knows nothing of, or another release something else. */
export class UnknownRule extends Error {
  override readonly name = "UnknownRule";

  constructor(readonly rule: GroundedRule) {
    super(`${ruleText(rule)} is no rule that Consul is known to have`);
  }
}

export class Authorizer {
  private readonly named: ReadonlyMap<NamedKind | "intention", Names>;
  private readonly whole = new Map<WholeKind, Said>();

  /**
   * @param rules of all policies together
   * @param defaultPolicy what holds where no rule says anything
   * @throws UnknownRule
   */
  constructor(
    rules: readonly GroundedRule[],
    private readonly defaultPolicy: DefaultPolicy = "deny",
  ) {
    const named = new Map([...NAMED_KINDS, "intention" as const].map((kind) => [kind, new Names()]));
    for (const rule of rules) {
      if (rule.name === undefined) this.addWhole(rule);
      else addNamed(named, rule, rule.name);
    }
    for (const [prefixed, name, { level, rule }] of named.get("service")?.all() ?? [])
      named.get("intention")?.fill(prefixed, name, { level: level === "deny" ? "deny" : "read", rule });
    this.named = named;
  }

  /** What decides about a name, or about a kind as a whole. Of rules the one about exactly this name counts, else that about the longest prefix. */
  decide(kind: ResourceKind, name = ""): Decision {
    const names = isNamed(kind) ? this.named.get(kind) : undefined;
    const said = names === undefined ? this.wholeSaid(kind as WholeKind) : names.get(name);
    return said ?? { level: undefined, rule: undefined };
  }

  allows(kind: ResourceKind, access: Access, name = ""): boolean {
    const { level } = this.decide(kind, name);
    // By default everything may be allowed, but ACLs themselves.
    if (level === undefined) return this.defaultPolicy === "allow" && kind !== "acl";
    return level !== "deny" && ACCESSES.indexOf(access) <= ACCESSES.indexOf(level);
  }

  /** Names and prefixes that rules of a kind are about. */
  mentioned(kind: NamedKind): { readonly names: readonly string[]; readonly prefixes: readonly string[] } {
    const all = [...(this.named.get(kind)?.all() ?? [])];
    const of = (wanted: boolean) => all.filter(([prefixed]) => prefixed === wanted).map(([, name]) => name);
    return { names: of(false), prefixes: of(true) };
  }

  private addWhole(rule: GroundedRule): void {
    const kind = WHOLE_KINDS.find((known) => known === rule.kind);
    if (kind === undefined || rule.intentions !== undefined) throw new UnknownRule(rule);
    this.whole.set(kind, preferred(this.whole.get(kind), { level: levelOf(rule, rule.policy, false), rule }));
  }

  private wholeSaid(kind: WholeKind): Said | undefined {
    return this.whole.get(kind) ?? (kind === "mesh" || kind === "peering" ? this.whole.get("operator") : undefined);
  }
}

/** `service_prefix "web" { policy = "write" }`. */
export function ruleText({ kind, name, policy, intentions }: AclRule): string {
  if (name === undefined) return `\`${kind} = "${policy}"\``;
  const more = intentions === undefined ? "" : `, intentions = "${intentions}"`;
  return `\`${kind} ${JSON.stringify(name)} { policy = "${policy}"${more} }\``;
}

interface Said {
  readonly level: Level;
  readonly rule: GroundedRule;
}

/** What is said about names and prefixes of one kind. */
class Names {
  private readonly exact = new Map<string, Said>();
  private readonly prefixes = new Map<string, Said>();

  add(isPrefix: boolean, name: string, said: Said): void {
    const map = isPrefix ? this.prefixes : this.exact;
    map.set(name, preferred(map.get(name), said));
  }

  /** Says something where nothing is said yet. */
  fill(isPrefix: boolean, name: string, said: Said): void {
    const map = isPrefix ? this.prefixes : this.exact;
    if (!map.has(name)) map.set(name, said);
  }

  get(name: string): Said | undefined {
    const exact = this.exact.get(name);
    if (exact !== undefined) return exact;
    let longest: string | undefined;
    for (const prefix of this.prefixes.keys())
      if (name.startsWith(prefix) && prefix.length >= (longest ?? "").length) longest = prefix;
    return longest === undefined ? undefined : this.prefixes.get(longest);
  }

  *all(): Generator<[isPrefix: boolean, name: string, said: Said]> {
    for (const [name, said] of this.exact) yield [false, name, said];
    for (const [name, said] of this.prefixes) yield [true, name, said];
  }
}

function addNamed(named: ReadonlyMap<string, Names>, rule: GroundedRule, name: string): void {
  const isPrefix = rule.kind.endsWith(PREFIX);
  const kind = NAMED_KINDS.find((known) => known === (isPrefix ? rule.kind.slice(0, -PREFIX.length) : rule.kind));
  if (kind === undefined || (rule.intentions !== undefined && kind !== "service")) throw new UnknownRule(rule);
  named.get(kind)?.add(isPrefix, name, { level: levelOf(rule, rule.policy, kind === "key"), rule });
  if (rule.intentions !== undefined)
    named.get("intention")?.add(isPrefix, name, { level: levelOf(rule, rule.intentions, false), rule });
}

function levelOf(rule: GroundedRule, word: string, mayList: boolean): Level {
  const level = PRECEDENCE.find((known) => known === word);
  if (level === undefined || (level === "list" && !mayList)) throw new UnknownRule(rule);
  return level;
}

function preferred(one: Said | undefined, other: Said): Said {
  return one !== undefined && PRECEDENCE.indexOf(one.level) <= PRECEDENCE.indexOf(other.level) ? one : other;
}

function isNamed(kind: ResourceKind): kind is NamedKind | "intention" {
  return !WHOLE_KINDS.some((whole) => whole === kind);
}
