/** Random ACL objects, as names that begin with each other: there rules meet. */
import fc from "fast-check";
import { NAMED_KINDS, WHOLE_KINDS } from "../../../policies/consul/acl/authorizer";
import type { AclRule } from "../../../policies/consul/acl-rules";
import type { Grants } from "../../../policies/consul/acl/objects";

const NAMES = ["a", "ab", "ab-c", "abc", "b", "web", "web-1", "web-sidecar-proxy"];
/** Names that are asked about: those that rules are about, and others around them. */
export const ASKED = [...NAMES, "", "a-", "abcd", "we", "web-2", "zz"];

const names = fc.constantFrom(...NAMES, "");
const levels = fc.constantFrom("read", "write", "deny");

const named: fc.Arbitrary<AclRule> = fc
  .record({
    kind: fc.constantFrom(...NAMED_KINDS),
    prefix: fc.boolean(),
    name: names,
    policy: levels,
    list: fc.boolean(),
    intentions: fc.option(levels, { nil: undefined }),
  })
  .map(({ kind, prefix, name, policy, list, intentions }) => ({
    kind: prefix ? `${kind}_prefix` : kind,
    name,
    policy: kind === "key" && list ? "list" : policy,
    ...(kind === "service" && intentions !== undefined ? { intentions } : {}),
  }));
const whole: fc.Arbitrary<AclRule> = fc.record({ kind: fc.constantFrom(...WHOLE_KINDS), policy: levels });

/** Rules of one policy: each about something else. */
const rules = fc.uniqueArray(fc.oneof({ weight: 4, arbitrary: named }, whole), {
  minLength: 1,
  maxLength: 8,
  selector: ({ kind, name }) => JSON.stringify([kind, name]),
});

const identifiers = fc.constantFrom("a", "ab-c", "web");
const datacenters = fc.subarray(["dc1", "dc2"]);
const identities = fc.record({
  serviceIdentities: fc.array(fc.record({ service: identifiers, datacenters }), { maxLength: 2 }),
  nodeIdentities: fc.array(fc.record({ node: identifiers, datacenter: fc.constantFrom("dc1", "dc2") }), {
    maxLength: 1,
  }),
  templatedPolicies: fc.array(
    fc
      .record({
        template: fc.constantFrom(
          "builtin/service",
          "builtin/node",
          "builtin/dns",
          "builtin/api-gateway",
          "builtin/nomad-server",
          "builtin/nomad-client",
        ),
        name: identifiers,
      })
      .map(({ template, name }) => ({
        template,
        name: /service|node|gateway/.test(template) ? name : "",
        datacenters: [],
      })),
    { maxLength: 1 },
  ),
});

/** How a policy is written. */
export type Notation = "hcl" | "json";

export interface RandomAcl {
  readonly policies: readonly {
    readonly rules: readonly AclRule[];
    readonly datacenters: readonly string[];
    readonly notation: Notation;
  }[];
  /** Which of the policies the role has, and which the token. */
  readonly role: Omit<Grants, "policies" | "roles"> & { readonly policies: readonly number[] };
  readonly token: Omit<Grants, "policies" | "roles"> & { readonly policies: readonly number[] };
  readonly hasRole: boolean;
}

const indices = fc.subarray([0, 1, 2]);

export const randomAcl: fc.Arbitrary<RandomAcl> = fc.record({
  policies: fc.array(
    fc.record({
      rules,
      datacenters: fc.oneof({ weight: 4, arbitrary: fc.constant([]) }, datacenters),
      notation: fc.constantFrom<Notation>("hcl", "json"),
    }),
    { minLength: 3, maxLength: 3 },
  ),
  role: fc.tuple(indices, identities).map(([policies, own]) => ({ policies, ...own })),
  token: fc
    .tuple(indices, fc.oneof({ weight: 2, arbitrary: fc.constant(NONE()) }, identities))
    .map(([policies, own]) => ({ policies, ...own })),
  hasRole: fc.boolean(),
});

function NONE() {
  return { serviceIdentities: [], nodeIdentities: [], templatedPolicies: [] };
}

/**
 * Rules as Consul reads them.
 *
 * @param blanks at the end, by which a text is another one to Consul's caches
 */
export function written(list: readonly AclRule[], notation: Notation, blanks = 0): string {
  return (notation === "hcl" ? list.map(block).join("\n") : json(list)) + " ".repeat(blanks);
}

function json(list: readonly AclRule[]): string {
  const kinds: Record<string, unknown> = {};
  for (const { kind, name, ...said } of list) {
    if (name === undefined) kinds[kind] = said.policy;
    else kinds[kind] = { ...(kinds[kind] as object | undefined), [name]: said };
  }
  return JSON.stringify(kinds);
}

function block({ kind, name, policy, intentions }: AclRule): string {
  if (name === undefined) return `${kind} = ${JSON.stringify(policy)} # all of it`;
  const more = intentions === undefined ? "" : `  intentions = ${JSON.stringify(intentions)}\n`;
  return `${kind} ${JSON.stringify(name)} {\n  policy = ${JSON.stringify(policy)}\n${more}}`;
}
