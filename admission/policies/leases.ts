/** Who leads is decided among the controller's own replicas: RBAC can't narrow `create` to one Lease. */
import { WELL_KNOWN } from "../../mesh/wire";
import { BY_A_SERVICE, CONTROLLER, inZones, NO_DRY_RUN, resources } from "../match";
import type { AdmissionPolicy } from "../model";

export function leases(): AdmissionPolicy {
  const name = WELL_KNOWN.controller;
  return {
    name: "lucid-leases",
    spec: {
      failurePolicy: "Fail",
      matchConstraints: inZones([resources("coordination.k8s.io", ["leases"])]),
      matchConditions: [NO_DRY_RUN, BY_A_SERVICE],
      validations: [
        {
          expression: `request.userInfo.username == "${CONTROLLER}" && object.metadata.name == "${name}" && request.namespace == "lucid-mesh"`,
          message: `a service may write no Lease but the mesh controller its own, lucid-mesh/${name}; take it out`,
        },
      ],
    },
  };
}
