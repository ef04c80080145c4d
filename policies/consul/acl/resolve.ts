import type { GroundedRule } from "./authorizer";
import type { AclObjects, Grants } from "./objects";
import { BUILT_IN_POLICIES, syntheticPolicies } from "./synthetic";

/** What somebody is given that the objects at hand don't tell. */
export class UnknownGrant extends Error {
  override readonly name = "UnknownGrant";
}

/**
 * The rules that a token, a role or a login brings its bearer in one datacenter: of its policies, of its roles' and of its identities.
 *
 * @throws UnknownGrant for a policy or role that is none of the objects, and for a template that isn't known
 */
export function resolveRules(grants: Grants, objects: AclObjects, datacenter: string): readonly GroundedRule[] {
  const roles = grants.roles.map((name) => {
    const role = objects.roles.find((candidate) => candidate.name === name);
    if (role === undefined) throw new UnknownGrant(`the role ${name} is not among the objects`);
    return role;
  });
  const scopes = datacentersByService([grants, ...roles]);
  const scoped = (one: Grants): Grants => ({
    ...one,
    serviceIdentities: one.serviceIdentities.map(({ service }) => ({
      service,
      datacenters: scopes.get(service) ?? [],
    })),
  });
  return [
    ...ownRules(scoped(grants), "", objects, datacenter),
    ...roles.flatMap((role) => ownRules(scoped(role), ` by ${role.title}`, objects, datacenter)),
  ];
}

/** One service's identities are one, good wherever one of them names a datacenter: one that names none adds nothing to that. */
function datacentersByService(all: readonly Grants[]): ReadonlyMap<string, readonly string[]> {
  const scopes = new Map<string, readonly string[]>();
  for (const { service, datacenters } of all.flatMap(({ serviceIdentities }) => serviceIdentities))
    scopes.set(service, [...(scopes.get(service) ?? []), ...datacenters]);
  return scopes;
}

function differ(one: GroundedRule, other: GroundedRule): boolean {
  return one.ground !== other.ground && (one.policy !== other.policy || one.intentions !== other.intentions);
}

/**
 * Rules of one bearer's policies about the same services, wherever they don't say the same. Consul (1.21) writes what it merged back into the policy that it keeps read
 * (`existing.Policy = …` in `acl/policy_merger.go`): from then on whoever has that policy by itself has what the other says, until the server is started anew.
 */
export function contested(rules: readonly GroundedRule[]): readonly (readonly GroundedRule[])[] {
  const said = new Map<string, GroundedRule[]>();
  for (const rule of rules.filter(({ kind }) => kind === "service" || kind === "service_prefix")) {
    const key = `${rule.kind} ${rule.name ?? ""}`;
    said.set(key, [...(said.get(key) ?? []), rule]);
  }
  return [...said.values()].filter((same) => same.some((one) => same.some((other) => differ(one, other))));
}

function ownRules(grants: Grants, by: string, objects: AclObjects, datacenter: string): GroundedRule[] {
  const synthetic = syntheticPolicies(grants);
  if (synthetic === undefined)
    throw new UnknownGrant("a templated policy is of no template that Consul is known to have");
  return [...grants.policies.map((name) => policyNamed(name, objects)), ...synthetic]
    .filter(({ datacenters }) => datacenters.length === 0 || datacenters.includes(datacenter))
    .flatMap(({ title, rules }) => rules.map((rule) => ({ ...rule, ground: `${title}${by}` })));
}

function policyNamed(name: string, { policies }: AclObjects) {
  const policy = policies.find((candidate) => candidate.name === name);
  if (policy !== undefined) return policy;
  const rules = Object.hasOwn(BUILT_IN_POLICIES, name) ? BUILT_IN_POLICIES[name] : undefined;
  if (rules === undefined) throw new UnknownGrant(`the policy ${name} is not among the objects`);
  return { title: `Consul's own policy ${name}`, rules, datacenters: [] };
}
