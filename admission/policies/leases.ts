/** Who leads is decided among the replicas of the controller and of each issuer: RBAC can't narrow `create` to one Lease. */
import { ISSUERS } from "../../mesh/issuing";
import { WELL_KNOWN } from "../../mesh/wire";
import { BY_A_SERVICE, inZones, NO_DRY_RUN, resources } from "../match";
import type { AdmissionPolicy } from "../model";

export function leases(): AdmissionPolicy {
  const leading = [WELL_KNOWN.controller, ...ISSUERS];
  return {
    name: "lucid-leases",
    spec: {
      failurePolicy: "Fail",
      matchConstraints: inZones([resources("coordination.k8s.io", ["leases"])]),
      matchConditions: [NO_DRY_RUN, BY_A_SERVICE],
      validations: [
        {
          expression:
            `request.namespace == "lucid-mesh" && object.metadata.name in ${JSON.stringify(leading)} && ` +
            'request.userInfo.username == "system:serviceaccount:lucid-mesh:" + object.metadata.name',
          message:
            "a service may write no Lease but the mesh controller and the issuers each its own, of its name in lucid-mesh; take it out",
        },
      ],
    },
  };
}
