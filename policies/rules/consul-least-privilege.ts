import type { Ceiling } from "../ceiling";
import { parseAclRules } from "../consul/acl-rules";
import type { AclRule } from "../consul/acl-rules";
import type { Field } from "../judgement/field";
import type { Findings } from "../judgement/finding";
import type { ResourceRule } from "../judgement/rule";

const POLICY = "consul:index/aclPolicy:AclPolicy";
const TOKEN = "consul:index/aclToken:AclToken";
/** What a policy may be about; `acl`, `operator`, `keyring`, `agent`, `session`, `key` and the others are for the management token. */
const KINDS: readonly string[] = ["node", "node_prefix", "service", "service_prefix"];
/** Policies that Consul brings along, each with every right or with every right to read. */
const BUILT_IN = /^(global-management|builtin\/.*|00000000-0000-0000-0000-0000000000..)$/;
const TOKEN_KEYS: readonly string[] = ["accessorId", "description", "expirationTime", "local", "policies"];
const POLICY_KEYS: readonly string[] = ["datacenters", "description", "name", "rules"];

/** Who has a token of Consul's registers members of the mesh, or reads names, and may do nothing else. */
export const consulLeastPrivilege: ResourceRule = {
  name: "consul-least-privilege",
  description:
    "Consul's ACL policies write listed services and nodes named for a zone or a service, and nothing else; tokens have such policies alone, and none of Consul's own.",
  severity: "critical",
  remediation: "Declare Consul's ACLs with ConsulAcls.",
  uses: ["members"],
  concerns: (type) => type.startsWith("consul:"),
  judge({ type, properties }, ceiling, findings) {
    if (type === POLICY) judgePolicy(properties, ceiling, findings);
    else if (type === TOKEN) judgeToken(properties, findings);
    else findings.add("", `no rule models ${type}`, "take AclPolicy and AclToken, or write its rule first");
  },
};

function judgePolicy(policy: Field, ceiling: Ceiling, findings: Findings): void {
  refuseOthers(policy, POLICY_KEYS, findings);
  const name = policy.at("name");
  findings.require(
    !BUILT_IN.test(name.text() ?? ""),
    name,
    "the policy takes the place of one of Consul's own",
    "name it lucid-…",
  );
  const field = policy.at("rules");
  const rules = parseAclRules(field.text() ?? "");
  if (rules === undefined || rules.length === 0) {
    findings.add(field, "the rules can't be read", 'write each as `<kind> "<name>" { policy = "read" }`');
    return;
  }
  for (const rule of rules) judgeRule(rule, field, ceiling, findings);
}

function judgeRule({ kind, name, policy }: AclRule, field: Field, ceiling: Ceiling, findings: Findings): void {
  const shown = name === undefined ? kind : `${kind} "${name}"`;
  if (name === undefined || !KINDS.includes(kind)) {
    findings.add(
      field,
      `the policy decides about \`${shown}\`, which is the management token's`,
      `take it out; here stand ${KINDS.join(", ")}`,
    );
    return;
  }
  findings.require(
    ["read", "write", "deny"].includes(policy),
    field,
    `the policy of \`${shown}\` is none that the rule models`,
    "take read or write",
  );
  if (policy !== "write") return;
  const members = Object.values(ceiling.members).flat();
  const zones = Object.keys(ceiling.members);
  // Nodes are synthetic, `lucid-<zone>-…`, or an agent's own, `<service>-…`.
  const isNodes =
    kind === "node_prefix" &&
    (zones.some((zone) => name === `lucid-${zone}-`) || members.some((member) => name === `${member}-`));
  const isService = kind === "service" && members.includes(name);
  findings.require(
    isNodes || isService,
    field,
    `who has the policy may write \`${shown}\`, which is no listed service and no zone's nodes`,
    'write `service "<member>"` one by one, and `node_prefix "lucid-<zone>-"`',
  );
}

function judgeToken(token: Field, findings: Findings): void {
  refuseOthers(token, TOKEN_KEYS, findings);
  const policies = token.at("policies");
  findings.require(
    !policies.isEmpty,
    policies,
    "the token has no policy, and so those of the anonymous one",
    "give it one",
  );
  // Those of this stack may be unknown at preview, which `stack-invariants` proves; their names are judged once they are known.
  if (policies.isUnknown) return;
  for (const policy of policies.items().filter((candidate) => !candidate.isUnknown)) {
    const name = policy.text() ?? "";
    findings.require(
      !BUILT_IN.test(name),
      policies,
      `the token has Consul's own policy \`${name}\``,
      "give it a policy of this stack that names what it may do",
    );
  }
}

/** Roles, identities and templates give rights that no policy of this stack shows. */
function refuseOthers(object: Field, known: readonly string[], findings: Findings): void {
  for (const key of object.keys().filter((candidate) => !known.includes(candidate) && !object.at(candidate).isEmpty)) {
    findings.add(
      object.at(key),
      "it gives rights that no policy of this stack names",
      "take it out, and name the rights in an AclPolicy",
    );
  }
}
