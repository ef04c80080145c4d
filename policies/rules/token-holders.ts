import { CONSUL } from "../consul/resources";
import type { DiscoveryLeave } from "../ceiling";
import { ceilingAllows } from "../ceiling/edges";
import { parseAclRules } from "../consul/acl-rules";
import { Unjudgeable } from "../judgement/field";
import { findingsIn } from "../judgement/rule";
import type { StackFinding, StackResource } from "../judgement/rule";
import { KubeObject, isKind } from "../kubernetes/object";
import { ownerOf } from "../kubernetes/owner";

/** The kind of rules that no name narrows, and by which every other right can be had. */
const ACLS = "acl";
/** Where registrars reach Consul: who may not, registers nobody. */
const API = { party: "mesh/consul", port: "8501/TCP" } as const;

/**
 * A token that may write ACLs can do everything, and lies alone, in a Secret of who takes snapshots. One that may read them shows who may do what, and lies in a Secret of who
 * compares them. One that may write others' services or nodes is a registrar's. Whoever else has one,
 * in a Secret of his, may write his own nodes alone. Tokens are not known at preview, and told by where a Secret's data comes from.
 */
export function tokensElsewhere(resources: readonly StackResource[], ceiling: DiscoveryLeave): StackFinding[] {
  const policies = new Map(
    resources.filter(({ type }) => type === CONSUL.aclPolicy).map((policy) => [nameOf(policy), policy] as const),
  );
  return resources
    .filter(({ type }) => isKind(type, "Secret", "ConfigMap"))
    .flatMap((resource) =>
      findingsIn(resource, (_, findings) => {
        const tokens = ["stringData", "data"]
          .flatMap((property) => resource.origins(property))
          .filter(({ type }) => type === CONSUL.aclToken);
        if (tokens.length === 0) return;
        const object = KubeObject.of(resource);
        const owner = object && ownerOf(object, ceiling);
        const isRegistrar = owner !== undefined && ceilingAllows(owner, API.party, API.port, "egress", ceiling);
        const service = owner?.slice(owner.indexOf("/") + 1);
        for (const token of tokens) {
          const rights = rightsOf(token, policies);
          const ofAcls = rights?.filter(({ kind }) => kind === ACLS) ?? [];
          if (ofAcls.some(({ policy }) => policy !== "read")) {
            const mayHave = owner !== undefined && Object.hasOwn(ceiling.snapshotTakers, owner);
            findings.require(
              mayHave && tokens.length === 1 && isKind(resource.type, "Secret"),
              "",
              `it is made of a token (${token.name}) that may write Consul's ACLs, and so do everything there`,
              "keep it in a Secret of its own of who takes snapshots, which the ceiling lists under snapshotTakers",
            );
            continue;
          }
          if (ofAcls.length > 0) {
            const mayHave = owner !== undefined && Object.hasOwn(ceiling.aclReaders, owner);
            findings.require(
              mayHave && isKind(resource.type, "Secret"),
              "",
              `it is made of a token (${token.name}) that may read Consul's ACLs`,
              "keep it in a Secret of who compares them, which the ceiling lists under aclReaders",
            );
          }
          if (isRegistrar) continue;
          findings.require(
            rights?.every(
              ({ kind, name, policy }) =>
                policy !== "write" || (kind === "node_prefix" && service !== undefined && name === `${service}-`),
            ) === true,
            "",
            `it is made of a token (${token.name}) that may write more in Consul than ${owner ?? "its reader"}'s own nodes`,
            "give it a token of its own; who registers services is who the ceiling lets reach Consul's API",
          );
        }
      }),
    );
}

/** What a token may do; undefined where that can't be told. */
function rightsOf(token: StackResource, policies: ReadonlyMap<string | undefined, StackResource>) {
  const field = token.properties.at("policies");
  const own =
    field.isUnknown || field.items().some((item) => item.isUnknown)
      ? token.origins("policies")
      : field.texts().map((name) => policies.get(name));
  const rules = own.map((policy) =>
    policy === undefined ? undefined : parseAclRules(policy.properties.at("rules").text() ?? ""),
  );
  return rules.every((list) => list !== undefined) ? rules.flat() : undefined;
}

function nameOf(policy: StackResource): string | undefined {
  try {
    return policy.properties.at("name").text();
  } catch (error) {
    // Judged by `consul-least-privilege`; nothing is found by such a name.
    if (error instanceof Unjudgeable) return undefined;
    throw error;
  }
}
