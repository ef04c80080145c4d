/** A zone's default deny stays as long as pods run there. */
import type { AdmissionData } from "../data";
import { list } from "../literal";
import { inZones, NO_DRY_RUN, resources } from "../match";
import type { AdmissionPolicy } from "../model";
import { DEFAULT_DENY } from "./network";

export function kept(data: AdmissionData): AdmissionPolicy {
  return {
    name: "lucid-kept",
    spec: {
      failurePolicy: "Fail",
      matchConstraints: inZones([resources("networking.k8s.io", ["networkpolicies"], ["DELETE"])]),
      matchConditions: [NO_DRY_RUN],
      variables: [list("inhabited", data.inhabited)],
      validations: [
        {
          expression: `oldObject.metadata.name != "${DEFAULT_DENY}" || !(request.namespace in variables.inhabited) || namespaceObject.status.phase == "Terminating"`,
          message: `without ${DEFAULT_DENY} every pod of the zone that no other policy selects would be open; take the pods away first, by \`pulumi destroy\``,
        },
      ],
    },
  };
}
