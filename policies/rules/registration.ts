import type { DiscoveryLeave } from "../ceiling";
import { registrationBounds } from "../ceiling/registration";
import { Field } from "../judgement/field";
import type { StackFinding, StackResource } from "../judgement/rule";
import { Evidence, meshObjects, plannedCredentials, prove, registrationLayer } from "../reachability";
import { grouped, objectTitle } from "../reachability/network";
import { aclTitle } from "../reachability/registration";
import { findingsOf, readPlanned } from "./plan-findings";

/**
 * Nobody registers, changes, takes away or looks up names at the discovery backend beyond the ceiling: computed from all of Consul's ACL objects, etcd's users and
 * the Secrets in which tokens, passwords and keys lie, together. Each object is judged by `consul-least-privilege` and `etcd-least-privilege`; this sees what a
 * token is given by roles, identities and logins, and who has it.
 */
export function registrationBeyondCeiling(
  resources: readonly StackResource[],
  ceiling: DiscoveryLeave,
): StackFinding[] {
  // What isn't one object is found by `beyondCeiling`.
  const { planned } = readPlanned(resources);
  const evidence = new Evidence(meshObjects(planned.map(({ object }) => object)), {
    clusterAddresses: [],
    credentials: plannedCredentials(resources, planned),
  });
  const violations = prove(evidence, [registrationLayer(registrationBounds(ceiling))]);
  if (violations.length === 0) return [];
  const byTitle = grouped(
    [
      ...planned.map(({ resource, object }) => ({ resource, title: objectTitle(new Field(object)) })),
      ...resources
        .filter(({ type }) => type.startsWith("consul:"))
        .map((resource) => ({ resource, title: aclTitle(resource) })),
    ],
    ({ title }) => title,
  );
  // What is of no object in particular is of the stack.
  return violations.flatMap((violation) => findingsOf(violation, byTitle, resources.slice(0, 1)));
}
