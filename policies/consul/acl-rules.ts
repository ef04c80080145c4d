import { HclError, parseHcl } from "./hcl";
import type { HclItem, HclValue } from "./hcl";

/** One rule of a Consul ACL policy: `node_prefix "lucid-ops-" { policy = "write" }`. */
export interface AclRule {
  /** `service`, `node_prefix`, `operator`, … */
  readonly kind: string;
  /** What it is about; undefined for rules about everything of a kind (`operator = "read"`). */
  readonly name?: string;
  readonly policy: string;
  /** Of a service: what may be done with intentions to it, where that is said. */
  readonly intentions?: string;
}

/**
 * Reads Consul's ACL rule language (https://developer.hashicorp.com/consul/docs/security/acl/acl-rules), in HCL or JSON: blocks about names, and rules about a
 * whole kind. What a kind and a policy mean is not looked at. Undefined for a text that is no such rules, that says something twice at one place, or a
 * block something else than a policy and intentions.
 */
export function parseAclRules(text: string): readonly AclRule[] | undefined {
  try {
    const items = text.trimStart().startsWith("{") ? jsonItems(JSON.parse(text)) : parseHcl(text);
    const rules = items.map(ruleOf);
    const whole = rules.filter(({ name }) => name === undefined).map(({ kind }) => kind);
    return new Set(whole).size === whole.length ? rules : undefined;
  } catch (error) {
    if (error instanceof HclError || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function ruleOf({ keys, value }: HclItem): AclRule {
  const [kind = "", name, ...others] = keys;
  if (others.length > 0) throw new HclError("a block has two names");
  if (name === undefined) return { kind, policy: textOf(value) };
  if (typeof value === "string") throw new HclError("a name has no block");
  const said = new Map(value.map((item) => [item.keys.join(" "), textOf(item.value)]));
  const { policy, intentions, ...rest } = Object.fromEntries(said) as Readonly<Record<string, string | undefined>>;
  if (policy === undefined || said.size < value.length || Object.keys(rest).length > 0)
    throw new HclError("a block says something else than a policy and intentions");
  return { kind, name, policy, ...(intentions === undefined ? {} : { intentions }) };
}

function textOf(value: HclValue): string {
  if (typeof value !== "string") throw new HclError("a block is where a word belongs");
  return value;
}

/** `{"service": {"web": {"policy": "write"}}, "operator": "read"}` as HCL's own form. */
function jsonItems(json: unknown): HclItem[] {
  return Object.entries(json as object).flatMap(([kind, value]): HclItem[] => {
    if (typeof value === "string") return [{ keys: [kind], value }];
    return entriesOf(value).map(([name, block]) => ({
      keys: [kind, name],
      value: entriesOf(block).map(([key, word]) => {
        if (typeof word !== "string") throw new HclError("a block holds something else than words");
        return { keys: [key], value: word };
      }),
    }));
  });
}

function entriesOf(value: unknown): [string, unknown][] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new HclError("an object is missing");
  return Object.entries(value);
}
