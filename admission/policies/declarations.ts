/** A `MeshService` says what the document says, and its status is the controller's word. */
import { MESH_SERVICE } from "../../mesh/custom-resource";
import type { AdmissionData } from "../data";
import { hasKey, list, shards } from "../literal";
import { BY_A_SERVICE, CONTROLLER, inZones, NO_DRY_RUN, resources, whereChanged } from "../match";
import type { AdmissionPolicy } from "../model";

/** Members with a sidecar are declared, and nobody else; no service of the mesh declares one, or takes a declaration away. */
export function declarations(data: AdmissionData): AdmissionPolicy {
  const isRemoval = 'request.operation == "DELETE"';
  return {
    name: "lucid-declarations",
    spec: {
      failurePolicy: "Fail",
      matchConstraints: inZones([resources(MESH_SERVICE.group, [MESH_SERVICE.plural], ["CREATE", "UPDATE", "DELETE"])]),
      // What the document gives up is finished by an update, which leaves the declaration as it is.
      matchConditions: [NO_DRY_RUN, whereChanged("spec")],
      variables: [
        ...shards("services", data.services),
        list("infrastructure", data.infrastructure),
        { name: "zone", expression: `request.namespace.substring(${"lucid-".length})` },
        { name: "party", expression: 'variables.zone + "/" + object.metadata.name' },
      ],
      validations: [
        {
          expression: `!(${BY_A_SERVICE.expression})`,
          message: "services are declared by mesh.yaml, and by no service; run `pulumi up`",
        },
        {
          expression: `${isRemoval} || (${hasKey("services", "variables.party")} && !(variables.party in variables.infrastructure))`,
          message:
            "the MeshService is of no member of this zone with a sidecar; declare the service in mesh.yaml and run `pulumi up`",
        },
        {
          expression: `${isRemoval} || dyn(object).spec.zone == variables.zone`,
          message: "the MeshService names another zone than its namespace's; set spec.zone to it",
        },
      ],
    },
  };
}

export function declaredStatus(): AdmissionPolicy {
  return {
    name: "lucid-declared-status",
    spec: {
      failurePolicy: "Fail",
      matchConstraints: inZones([resources(MESH_SERVICE.group, [`${MESH_SERVICE.plural}/status`], ["UPDATE"])]),
      matchConditions: [NO_DRY_RUN],
      validations: [
        {
          expression: `request.userInfo.username == "${CONTROLLER}"`,
          message: "what runs as a service is told by the mesh controller alone; leave the status to it",
        },
      ],
    },
  };
}
