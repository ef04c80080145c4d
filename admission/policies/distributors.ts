/** The rights that the controller holds and that RBAC can't narrow: `create` has no names, `pods/status` no fields. They bind every account of a zone. */
import { IDENTITY_TOKEN } from "../../mesh/wire";
import type { AdmissionData } from "../data";
import { BY_A_SERVICE, CONTROLLER, inZones, NO_DRY_RUN, resources } from "../match";
import type { AdmissionPolicy } from "../model";
import { isOwnRecord, recordVariables } from "./issuing";

/** Annotation of pods by which the controller has kubelet bring changed files to them at once. */
const DISTRIBUTED_ANNOTATION = "lucid.internal/distributed";

/** It may write of a pod's status nothing but the annotation that has kubelet look for changed files. */
export function distributedPods(): AdmissionPolicy {
  const annotations = (object: string) => `dyn(${object}).metadata.?annotations.orValue({})`;
  const kept = (one: string, other: string) =>
    `${annotations(one)}.all(key, key == "${DISTRIBUTED_ANNOTATION}" || ${annotations(other)}[?key] == optional.of(${annotations(one)}[key]))`;
  const same = (path: string) => `dyn(object).${path} == dyn(oldObject).${path}`;
  return {
    name: "lucid-distributed-pods",
    spec: {
      failurePolicy: "Fail",
      matchConstraints: inZones([resources("", ["pods/status"], ["UPDATE"])]),
      matchConditions: [NO_DRY_RUN, BY_A_SERVICE],
      validations: [
        {
          expression: `${same("?status")} && ${["labels", "finalizers", "ownerReferences"].map((key) => same(`metadata.?${key}`)).join(" && ")} && ${kept("object", "oldObject")} && ${kept("oldObject", "object")}`,
          message: `a service may write nothing of a pod but the annotation ${DISTRIBUTED_ANNOTATION}; leave everything else as it is`,
        },
      ],
    },
  };
}

/** It may make one ConfigMap: that of the cluster's token keys. An issuer may make those that tell of its certificates, and not this one. */
export function distributedFiles(data: AdmissionData): AdmissionPolicy {
  const { keysConfigMap, keysFile } = IDENTITY_TOKEN;
  return {
    name: "lucid-distributed-files",
    spec: {
      failurePolicy: "Fail",
      matchConstraints: inZones([resources("", ["configmaps"])]),
      matchConditions: [NO_DRY_RUN, BY_A_SERVICE],
      variables: [...recordVariables(data)],
      validations: [
        {
          expression:
            `(request.userInfo.username == "${CONTROLLER}" && object.metadata.name == "${keysConfigMap}" && dyn(object).?data.orValue({}).all(key, key == "${keysFile}") && !has(object.binaryData)) || ` +
            `(${isOwnRecord()})`,
          message: `a service may write no ConfigMap but ${keysConfigMap} (the mesh controller, with ${keysFile} alone) and <service>-certificate (the issuer of its zone, without data); take it out`,
        },
      ],
    },
  };
}
