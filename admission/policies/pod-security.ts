/** What shares nothing with its node and gains no rights. The namespaces' Pod Security refuses such pods too, but not what makes them. */
import { inZones, POD_MAKERS } from "../match";
import type { AdmissionPolicy } from "../model";
import { CONTAINER_VARIABLES, POD_CONDITIONS, POD_VARIABLES } from "../pods";

/** Volumes of the `restricted` profile (https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted). */
const VOLUMES = [
  "configMap",
  "csi",
  "downwardAPI",
  "emptyDir",
  "ephemeral",
  "persistentVolumeClaim",
  "projected",
  "secret",
];

export function podSecurity(): AdmissionPolicy {
  const context = (key: string) => `each.?securityContext.?${key}`;
  const ofPod = (key: string) => `variables.spec.?securityContext.?${key}`;
  return {
    name: "lucid-pod-security",
    spec: {
      failurePolicy: "Fail",
      matchConstraints: inZones(POD_MAKERS),
      matchConditions: POD_CONDITIONS,
      variables: [...POD_VARIABLES, ...CONTAINER_VARIABLES],
      validations: [
        {
          expression: '!["hostNetwork", "hostPID", "hostIPC"].exists(key, variables.spec[?key].orValue(false) == true)',
          message: "the pod shares its node's network, processes or IPC; leave hostNetwork, hostPID and hostIPC out",
        },
        {
          expression: `variables.spec.?volumes.orValue([]).all(volume, volume.all(key, key == "name" || key in ${JSON.stringify(VOLUMES)}))`,
          message: `a volume is of a type that reaches outside of the pod, such as hostPath; take one of ${VOLUMES.join(", ")}`,
        },
        {
          expression: `variables.containers.all(each, !${context("privileged")}.orValue(false) && ${context("allowPrivilegeEscalation")}.orValue(true) == false)`,
          message:
            "a container is privileged or may gain privileges; leave `privileged` out and set allowPrivilegeEscalation: false",
        },
        {
          expression: `variables.containers.all(each, "ALL" in ${context("capabilities.?drop")}.orValue([]) && ${context("capabilities.?add")}.orValue([]).all(added, added == "NET_BIND_SERVICE"))`,
          message: "a container keeps or adds capabilities; drop ALL, and add none but NET_BIND_SERVICE",
        },
        {
          expression: `variables.containers.all(each, ${context("runAsNonRoot")}.orValue(${ofPod("runAsNonRoot")}.orValue(false)) == true && ${context("runAsUser")}.orValue(${ofPod("runAsUser")}.orValue(1)) != 0)`,
          message: "a container may run as root; set runAsNonRoot: true, and a runAsUser other than 0",
        },
        {
          expression: `variables.containers.all(each, ${context("seccompProfile.?type")}.orValue(${ofPod("seccompProfile.?type")}.orValue("")) in ["RuntimeDefault", "Localhost"])`,
          message: "a container has no seccomp profile; set seccompProfile.type RuntimeDefault",
        },
        {
          expression: `variables.containers.all(each, ${context("readOnlyRootFilesystem")}.orValue(false) == true)`,
          message:
            "a container can write to its root filesystem; set readOnlyRootFilesystem: true, and mount an emptyDir where it writes",
        },
        {
          expression: `variables.containers.all(each, ${context("procMount")}.orValue("Default") == "Default" && each.?ports.orValue([]).all(port, port.?hostPort.orValue(0) == 0 && port.?hostIP.orValue("") == ""))`,
          message:
            "a container takes a port of its node, or sees an unmasked /proc; take hostPort, hostIP and procMount out",
        },
      ],
    },
  };
}
