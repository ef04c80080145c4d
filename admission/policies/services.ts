/** Nothing of the mesh can be reached from outside of the cluster but its gateway, from other datacenters; and nobody writes addresses by hand. */
import { LABELS, SIDECAR_PORTS } from "../../mesh/wire";
import type { AdmissionData } from "../data";
import { hasKey, list, shards } from "../literal";
import { inZones, NO_DRY_RUN, resources, whereChanged } from "../match";
import type { AdmissionPolicy } from "../model";

const OUTSIDE = ["externalIPs", "loadBalancerIP", "loadBalancerClass", "externalName", "loadBalancerSourceRanges"];

/** CEL: the Service has one port, the listed one on the nodes, for calls from elsewhere. Another traffic policy would hide from NetworkPolicies who connects. */
const IS_LINK = [
  'variables.spec.?type.orValue("") == "NodePort"',
  'variables.spec.?externalTrafficPolicy.orValue("") == "Local"',
  "size(variables.spec.?ports.orValue([])) == 1",
  `variables.spec.ports.all(port, port.port == ${String(SIDECAR_PORTS.inbound)} && port.?targetPort.orValue(0) == ${String(SIDECAR_PORTS.inbound)} && variables.party + ":" + string(port.?nodePort.orValue(0)) + "/" + port.?protocol.orValue("TCP") in variables.nodePorts)`,
].join(" && ");

export function services(data: AdmissionData): AdmissionPolicy {
  return {
    name: "lucid-services",
    spec: {
      failurePolicy: "Fail",
      matchConstraints: inZones([resources("", ["services"])]),
      matchConditions: [NO_DRY_RUN, whereChanged("spec")],
      variables: [
        ...shards("services", data.services),
        { name: "spec", expression: "dyn(object).spec" },
        {
          name: "party",
          expression: `request.namespace.substring(${"lucid-".length}) + "/" + variables.spec.?selector[?"${LABELS.name}"].orValue("")`,
        },
        list("nodePorts", data.nodePorts),
        { name: "isLink", expression: IS_LINK },
      ],
      validations: [
        {
          expression: 'variables.isLink || variables.spec.?type.orValue("ClusterIP") == "ClusterIP"',
          message: "the Service opens the cluster to the outside; make it a ClusterIP: operators use a port-forward",
          messageExpression:
            '"the Service\'s type is " + variables.spec.type + "; make it a ClusterIP: operators use a port-forward"',
        },
        {
          expression: `!${JSON.stringify(OUTSIDE)}.exists(key, key in variables.spec) && (variables.isLink || variables.spec.?ports.orValue([]).all(port, port.?nodePort.orValue(0) == 0))`,
          message: "the Service has an address outside of the cluster, or a port on every node; take it out",
        },
        {
          expression: hasKey("services", "variables.party"),
          message: `the Service does not select the pods of one member of this zone; select by ${LABELS.name}`,
        },
      ],
    },
  };
}

/** Kubernetes' own controllers write endpoints after Services; by hand they would send traffic anywhere. */
export function endpoints(): AdmissionPolicy {
  return {
    name: "lucid-endpoints",
    spec: {
      failurePolicy: "Fail",
      matchConstraints: inZones([resources("", ["endpoints"]), resources("discovery.k8s.io", ["endpointslices"])]),
      matchConditions: [NO_DRY_RUN],
      validations: [
        {
          expression:
            'request.userInfo.username == "system:kube-controller-manager" || request.userInfo.username.startsWith("system:serviceaccount:kube-system:")',
          message:
            "endpoints are written by Kubernetes' own controllers alone; make a Service that selects pods of a member",
        },
      ],
    },
  };
}
