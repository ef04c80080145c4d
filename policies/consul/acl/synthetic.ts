/** Policies that nobody wrote: those that Consul brings along, and those that it makes of identities and templates (Consul 1.21). */
import type { AclRule } from "../acl-rules";
import type { Grants } from "./objects";

/** A policy that stands for an identity or a template. */
export interface SyntheticPolicy {
  /** What messages call it: `service identity web`. */
  readonly title: string;
  readonly rules: readonly AclRule[];
  readonly datacenters: readonly string[];
}

const rule = (kind: string, name: string, policy: string): AclRule => ({ kind, name, policy });
const allNodes = (policy: string) => rule("node_prefix", "", policy);
const allServices = (policy: string) => rule("service_prefix", "", policy);
const allAgents = rule("agent_prefix", "", "read");

/** Consul's templates, by name: what each gives to the name that is put in. */
const TEMPLATES: Readonly<Record<string, (name: string) => readonly AclRule[]>> = {
  "builtin/service": (name) => [
    rule("service", name, "write"),
    rule("service", `${name}-sidecar-proxy`, "write"),
    allServices("read"),
    allNodes("read"),
  ],
  "builtin/node": (name) => [rule("node", name, "write"), allServices("read")],
  "builtin/dns": () => [allNodes("read"), allServices("read"), rule("query_prefix", "", "read")],
  "builtin/nomad-server": () => [{ kind: "acl", policy: "write" }, allAgents, allNodes("read"), allServices("write")],
  "builtin/nomad-client": () => [allAgents, allNodes("read"), allServices("write"), rule("key_prefix", "", "read")],
  "builtin/api-gateway": (name) => [
    { kind: "mesh", policy: "read" },
    allNodes("read"),
    allServices("read"),
    rule("service", name, "write"),
  ],
};

/** Rules of the policies that every Consul has, by name. */
export const BUILT_IN_POLICIES: Readonly<Record<string, readonly AclRule[]>> = {
  "global-management": everything("write"),
  "builtin/global-read-only": everything("read"),
};

/**
 * The policies that identities and templates stand for.
 *
 * @returns undefined where one is of a template that isn't known
 */
export function syntheticPolicies(
  grants: Pick<Grants, "nodeIdentities" | "serviceIdentities" | "templatedPolicies">,
): readonly SyntheticPolicy[] | undefined {
  const made = [
    ...grants.serviceIdentities.map(({ service, datacenters }) =>
      templated("builtin/service", `service identity ${service}`, service, datacenters),
    ),
    ...grants.nodeIdentities.map(({ node, datacenter }) =>
      templated("builtin/node", `node identity ${node}`, node, [datacenter]),
    ),
    ...grants.templatedPolicies.map(({ template, name, datacenters }) =>
      templated(template, `templated policy ${template}${name === "" ? "" : ` of ${name}`}`, name, datacenters),
    ),
  ];
  return made.every((policy) => policy !== undefined) ? made : undefined;
}

function templated(
  template: string,
  title: string,
  name: string,
  datacenters: readonly string[],
): SyntheticPolicy | undefined {
  const rules = Object.hasOwn(TEMPLATES, template) ? TEMPLATES[template] : undefined;
  return rules === undefined ? undefined : { title, rules: rules(name), datacenters };
}

function everything(policy: "read" | "write"): readonly AclRule[] {
  return [
    ...["acl", "keyring", "operator", "mesh", "peering"].map((kind) => ({ kind, policy })),
    ...["agent", "event", "key", "node", "query", "session"].map((kind) => rule(`${kind}_prefix`, "", policy)),
    { ...allServices(policy), intentions: policy },
  ];
}
