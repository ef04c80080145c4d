import { CONSUL } from "../consul/resources";
import type { Ceiling } from "../ceiling";
import { parseAclRules } from "../consul/acl-rules";
import type { AclRule } from "../consul/acl-rules";
import type { Field } from "../judgement/field";
import type { Findings } from "../judgement/finding";
import type { ResourceRule } from "../judgement/rule";

/** An address of this machine, with its port. */
const LOOPBACK = /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/;
/** What a policy may be about; `operator`, `keyring`, `agent`, `session`, `key` and the others are for the management token, and `acl` is for who takes snapshots, or compares ACLs, alone. */
const KINDS: readonly string[] = ["node", "node_prefix", "service", "service_prefix"];
/** Policies that Consul brings along, each with every right or with every right to read. */
const BUILT_IN = /^(global-management|builtin\/.*|00000000-0000-0000-0000-0000000000..)$/;
const TOKEN_KEYS: readonly string[] = ["accessorId", "description", "expirationTime", "local", "policies"];
const POLICY_KEYS: readonly string[] = ["datacenters", "description", "name", "rules"];

/** Who has a token of Consul's registers members of the mesh, reads names, compares ACLs, or takes snapshots, and may do nothing else. */
export const consulLeastPrivilege: ResourceRule = {
  name: "consul-least-privilege",
  description:
    "Consul's ACL policies write listed services and nodes named for a zone or a service, or ACLs alone where somebody takes snapshots, or read those alone where somebody compares them, and nothing else; tokens have such policies alone, and none of Consul's own.",
  severity: "critical",
  remediation: "Declare Consul's ACLs with ConsulAcls.",
  uses: ["members", "snapshotTakers", "aclReaders"],
  concerns: (type) => type.startsWith("consul:") || type === CONSUL.provider,
  judge({ type, properties }, ceiling, findings) {
    if (type === CONSUL.aclPolicy) judgePolicy(properties, ceiling, findings);
    else if (type === CONSUL.aclToken) judgeToken(properties, findings);
    else if (type === CONSUL.provider) judgeProvider(properties, findings);
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
  if (isOfAcls(rules, "read")) {
    findings.require(
      Object.keys(ceiling.aclReaders).length > 0,
      field,
      "who has the policy may read ACLs, and so who may do what",
      "take it out, or have the ceiling's owner list who compares ACLs under aclReaders",
    );
    return;
  }
  if (isOfAcls(rules, "write")) {
    findings.require(
      Object.keys(ceiling.snapshotTakers).length > 0,
      field,
      "who has the policy may write ACLs, and so give himself every right",
      "take it out, or have the ceiling's owner list who takes snapshots under snapshotTakers",
    );
    return;
  }
  for (const rule of rules) judgeRule(rule, field, ceiling, findings);
  const zones = Object.keys(ceiling.members);
  const written = rules.filter(({ policy: right }) => right === "write");
  findings.require(
    written.length === 0 || zones.some((zone) => written.every((rule) => isOfZone(rule, zone, ceiling))),
    field,
    "who has the policy may write what is of several zones",
    "give each zone a policy of its own",
  );
}

/** Consul asks this of who takes snapshots, or compares ACLs. Beside another right it would be more than they need; who has a token with it is judged by `stack-invariants`. */
function isOfAcls(rules: readonly AclRule[], right: "read" | "write"): boolean {
  return (
    rules.length === 1 &&
    rules.every(({ kind, name, policy }) => kind === "acl" && name === undefined && policy === right)
  );
}

/** Whether what a rule is about is a zone's, and no other's. */
function isOfZone({ kind, name = "" }: AclRule, zone: string, { members }: Pick<Ceiling, "members">): boolean {
  const own = members[zone] ?? [];
  return kind === "service"
    ? own.includes(name)
    : name === `lucid-${zone}-` || own.some((member) => name === `${member}-`);
}

function judgeRule(
  { kind, name, policy, intentions }: AclRule,
  field: Field,
  ceiling: Ceiling,
  findings: Findings,
): void {
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
  findings.require(
    intentions === undefined,
    field,
    `the policy decides about intentions to \`${shown}\`, which the mesh has none of`,
    "take intentions out",
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

/** What it is given may do everything: it goes to this machine's own end of a port-forward, or under TLS. */
function judgeProvider(provider: Field, findings: Findings): void {
  const address = provider.at("address");
  findings.require(
    provider.at("scheme").is("https") || LOOPBACK.test(address.text() ?? ""),
    address,
    "the management token would go over the network in plain text",
    "reach Consul by a port-forward on 127.0.0.1, or set scheme: https",
  );
  const unverified = provider.at("insecureHttps");
  findings.require(
    unverified.isAbsentOr(false),
    unverified,
    "the management token would go to whoever answers",
    "take it out",
  );
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
