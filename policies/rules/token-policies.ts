import { CONSUL } from "../consul/resources";
import { findingsIn } from "../judgement/rule";
import type { StackFinding, StackResource } from "../judgement/rule";

/**
 * A token's policies stand in the plan. Those that are unknown at preview are policies of this stack, each judged itself. What they are called is judged when it is known, before the token is
 * made (`consul-least-privilege`).
 */
export function unprovenTokenPolicies(resources: readonly StackResource[]): StackFinding[] {
  // A policy whose name can't be told is found where it is judged itself, and backs no token.
  const names: ReadonlySet<unknown> = new Set(
    resources
      .filter(({ type }) => type === CONSUL.aclPolicy)
      .map(({ properties }) => properties.at("name").plain)
      .filter((name) => name !== null),
  );
  return resources
    .filter(({ type }) => type === CONSUL.aclToken)
    .flatMap((token) =>
      findingsIn(token, (_, findings) => {
        const policies = token.properties.at("policies");
        if (!policies.isUnknown) {
          for (const policy of policies.items().filter((candidate) => !candidate.isUnknown)) {
            findings.require(
              names.has(policy.plain),
              policies,
              `the plan does not have the policy ${policy.shown()}, so nobody judges what the token may do`,
              "declare the policy in the same stack",
            );
          }
          if (!policies.items().some((policy) => policy.isUnknown)) return;
        }
        const origins = token.origins("policies");
        findings.require(
          origins.length > 0 && origins.every(({ type }) => type === CONSUL.aclPolicy),
          policies,
          "the policies can't be known at preview and are not this stack's own",
          "take the name of an AclPolicy of this stack, or write it as a plain value",
        );
      }),
    );
}
