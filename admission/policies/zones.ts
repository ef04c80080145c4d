/** The zones' namespaces keep their names, and what Kubernetes enforces by their labels. */
import { ZONES } from "../../mesh";
import { LABELS } from "../../mesh/wire";
import { NO_DRY_RUN } from "../match";
import type { AdmissionPolicy } from "../model";

const LEVEL = "pod-security.kubernetes.io/enforce";
const VERSION = "pod-security.kubernetes.io/enforce-version";

export function zones(): AdmissionPolicy {
  return {
    name: "lucid-zones",
    spec: {
      failurePolicy: "Fail",
      matchConstraints: {
        resourceRules: [
          {
            apiGroups: [""],
            apiVersions: ["*"],
            operations: ["CREATE", "UPDATE"],
            resources: ["namespaces"],
            scope: "Cluster",
          },
        ],
        matchPolicy: "Equivalent",
      },
      matchConditions: [
        NO_DRY_RUN,
        { name: "of-the-mesh", expression: 'object.metadata.name.startsWith("lucid-")' },
        { name: "not-on-its-way-out", expression: "!has(object.metadata.deletionTimestamp)" },
      ],
      variables: [
        { name: "zone", expression: `object.metadata.name.substring(${"lucid-".length})` },
        { name: "labels", expression: "object.metadata.?labels.orValue({})" },
      ],
      validations: [
        {
          expression: `variables.zone in ${JSON.stringify(ZONES)}`,
          message: `namespaces lucid-* are those of the zones ${ZONES.join(", ")}; take another name`,
        },
        {
          expression: `variables.labels[?"${LABELS.zone}"].orValue("") == variables.zone`,
          message: `the namespace does not bear its zone's name; set the label ${LABELS.zone} to it`,
        },
        {
          expression: `variables.labels[?"${LEVEL}"].orValue("") == "restricted" && variables.labels[?"${VERSION}"].orValue("latest") == "latest"`,
          message: `the namespace does not enforce the newest restricted profile of Pod Security; set the label ${LEVEL} to restricted, and ${VERSION} to latest`,
        },
      ],
    },
  };
}
