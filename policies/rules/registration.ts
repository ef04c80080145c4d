import type { EdgeLeave } from "../ceiling";
import { registrationBounds } from "../ceiling-registration";
import { Field, Unjudgeable } from "../judgement/field";
import type { StackFinding, StackResource } from "../judgement/rule";
import { Evidence, meshObjects, plannedCredentials, plannedObject, prove, registrationLayer } from "../reachability";
import type { LayerViolation, PlannedObject } from "../reachability";
import { grouped, objectTitle } from "../reachability/network";
import { aclTitle } from "../reachability/registration";

/**
 * Nobody registers, changes, takes away or looks up names at the discovery backend beyond the ceiling: computed from all of Consul's ACL objects, etcd's users and
 * the Secrets in which tokens, passwords and keys lie, together. Each object is judged by `consul-least-privilege` and `etcd-least-privilege`; this sees what a
 * token is given by roles, identities and logins, and who has it.
 */
export function registrationBeyondCeiling(resources: readonly StackResource[], ceiling: EdgeLeave): StackFinding[] {
  const planned = resources.flatMap((resource) => plannedOf(resource) ?? []);
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
  return violations.flatMap(({ layer, problem, mend, places }: LayerViolation) => {
    const place = places.find(({ object }) => byTitle.has(object));
    // What is of no object in particular is of the stack.
    const found =
      place === undefined ? resources.slice(0, 1) : (byTitle.get(place.object) ?? []).map(({ resource }) => resource);
    return found.map((resource) => ({ resource, path: place?.path ?? "", problem: `${layer}: ${problem}`, mend }));
  });
}

/** What isn't one object is found by `beyondCeiling`. */
function plannedOf(resource: StackResource): PlannedObject<StackResource> | undefined {
  try {
    return plannedObject(resource);
  } catch (error) {
    if (error instanceof Unjudgeable) return undefined;
    throw error;
  }
}
