import { findingsIn } from "../judgement/rule";
import type { StackFinding, StackResource } from "../judgement/rule";

const POLICY = "consul:index/aclPolicy:AclPolicy";
const TOKEN = "consul:index/aclToken:AclToken";

/**
 * A token's policies that are unknown at preview are policies of this stack, each judged itself. What they are called is judged when it is known, before the token is
 * made (`consul-least-privilege`).
 */
export function unprovenTokenPolicies(resources: readonly StackResource[]): StackFinding[] {
  return resources
    .filter(({ type }) => type === TOKEN)
    .flatMap((token) =>
      findingsIn(token, (_, findings) => {
        const policies = token.properties.at("policies");
        if (!policies.isUnknown && !policies.items().some((policy) => policy.isUnknown)) return;
        const origins = token.origins("policies");
        findings.require(
          origins.length > 0 && origins.every(({ type }) => type === POLICY),
          policies,
          "the policies can't be known at preview and are not this stack's own",
          "take the name of an AclPolicy of this stack, or write it as a plain value",
        );
      }),
    );
}
