/** What runs is what the document declares: images of a service's own repositories, by exact version or digest. */
import type { AdmissionData } from "../data";
import { isPinnedOf } from "../images";
import { list, shards } from "../literal";
import { inZones, POD_MAKERS } from "../match";
import type { AdmissionPolicy } from "../model";
import { CONTAINER_VARIABLES, exemption, POD_CONDITIONS, POD_VARIABLES } from "../pods";

export function images(data: AdmissionData): AdmissionPolicy {
  return {
    name: "lucid-images",
    spec: {
      failurePolicy: "Fail",
      matchConstraints: inZones(POD_MAKERS),
      matchConditions: POD_CONDITIONS,
      variables: [
        ...shards("services", data.services),
        list("sidecarImages", data.sidecarImages),
        list("startGateImages", data.startGateImages),
        ...POD_VARIABLES,
        ...CONTAINER_VARIABLES,
        ...exemption(data),
        {
          name: "repositories",
          expression: "variables.services.filter(shard, variables.party in shard).map(shard, shard[variables.party])",
        },
        {
          name: "sidecarContainers",
          expression:
            "variables.exempt ? [] : variables.initContainers.filter(each, variables.initContainers[0] == each || (size(variables.initContainers) > 1 && variables.initContainers[1] == each)).map(each, each.name)",
        },
        {
          name: "strangers",
          expression: `variables.containers.filter(each, !(each.name in variables.sidecarContainers) && !variables.repositories.exists(own, ${isPinnedOf("each.image", "own")})).map(each, each.?image.orValue("none"))`,
        },
      ],
      validations: [
        {
          expression: "size(variables.strangers) == 0",
          message:
            "an image is not of a repository that the mesh's document names for this service, or names no one build; declare it in mesh.yaml, with an exact version such as 1.66.2 or a digest",
          messageExpression:
            '"the image " + variables.strangers.join(", ") + " is not of a repository that the mesh\'s document names for " + variables.party + ", or names no one build; declare it in mesh.yaml, with an exact version such as 1.66.2 or a digest"',
        },
      ],
    },
  };
}
