/** What no policy models, none can refuse: so it is refused here. */
import { MESH_SERVICE } from "../../mesh/custom-resource";
import { inZones, NO_DRY_RUN, resources } from "../match";
import type { AdmissionPolicy, ResourceRule } from "../model";

/** What may be created in a zone's namespace: what the other policies judge, what carries no rights, and what Kubernetes itself makes. */
const MODELLED: readonly (readonly [group: string, names: readonly string[]])[] = [
  ["", ["pods", "services", "endpoints", "configmaps", "secrets", "bindings", "events", "serviceaccounts"]],
  ["", ["persistentvolumeclaims", "resourcequotas", "limitranges"]],
  ["apps", ["deployments", "statefulsets", "daemonsets", "replicasets", "controllerrevisions"]],
  ["batch", ["jobs", "cronjobs"]],
  ["networking.k8s.io", ["networkpolicies"]],
  ["policy", ["poddisruptionbudgets"]],
  ["rbac.authorization.k8s.io", ["roles", "rolebindings"]],
  ["discovery.k8s.io", ["endpointslices"]],
  ["coordination.k8s.io", ["leases"]],
  [MESH_SERVICE.group, [MESH_SERVICE.plural]],
  ["events.k8s.io", ["events"]],
  ["authorization.k8s.io", ["localsubjectaccessreviews"]],
];

const EVERYTHING: ResourceRule = {
  apiGroups: ["*"],
  apiVersions: ["*"],
  operations: ["CREATE"],
  resources: ["*"],
  scope: "Namespaced",
};

export function kinds(): AdmissionPolicy {
  return {
    name: "lucid-kinds",
    spec: {
      failurePolicy: "Fail",
      matchConstraints: inZones(
        [EVERYTHING],
        MODELLED.map(([group, names]) => resources(group, names, ["CREATE"])),
      ),
      matchConditions: [NO_DRY_RUN],
      validations: [
        {
          expression: "false",
          message: "no policy of the mesh models objects of this kind; take it out of the zone's namespace",
          messageExpression:
            '"no policy of the mesh models a " + request.kind.kind + (request.kind.group == "" ? "" : " (" + request.kind.group + ")") + "; take it out of the zone\'s namespace: calls are declared in mesh.yaml, and the outside comes by onion services"',
        },
      ],
    },
  };
}
