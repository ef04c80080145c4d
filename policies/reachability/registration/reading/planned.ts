import type { StackResource } from "../../../judgement/rule";
import type { PlannedObject } from "../../objects/plan";
import type { Credentials } from "./directories";
import { readHoldings } from "./holdings";
import { readPlannedAcl } from "./planned-acl";

/**
 * What a plan says of credentials besides its Kubernetes objects: Consul's ACL objects, and in which objects tokens, passwords and keys will lie.
 *
 * @param planned the Kubernetes objects of the plan
 */
export function plannedCredentials(
  resources: readonly StackResource[],
  planned: readonly PlannedObject<StackResource>[],
): Credentials {
  return { acl: readPlannedAcl(resources), holdings: readHoldings(resources, planned) };
}
