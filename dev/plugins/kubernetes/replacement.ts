import { isProperties, type Value } from "../protocol/values";
import { isCore, kindOfObject } from "./kinds";
import { type KubeObject } from "./objects";
import { parsePath, type Path } from "./paths";

/** Whether ConfigMaps and Secrets are changed in place; otherwise changed data means a new object. */
export interface Mutability {
  readonly configMaps: boolean;
  readonly secrets: boolean;
}

const IDENTITY = [".metadata.name", ".metadata.namespace"];

const POD_SPEC = [
  "affinity",
  "automountServiceAccountToken",
  "dnsConfig",
  "dnsPolicy",
  "enableServiceLinks",
  "hostAliases",
  "hostIPC",
  "hostNetwork",
  "hostPID",
  "hostname",
  "imagePullSecrets",
  "nodeName",
  "nodeSelector",
  "overhead",
  "preemptionPolicy",
  "priority",
  "priorityClassName",
  "readinessGates",
  "restartPolicy",
  "runtimeClassName",
  "schedulerName",
  "securityContext",
  "serviceAccount",
  "serviceAccountName",
  "shareProcessNamespace",
  "subdomain",
  "terminationGracePeriodSeconds",
  "volumes",
].map((field) => `.spec.${field}`);

const POD_CONTAINER = ["containers", "initContainers"].flatMap((list) =>
  [
    "args",
    "command",
    "env",
    "image",
    "imagePullPolicy",
    "lifecycle",
    "livenessProbe",
    "ports",
    "readinessProbe",
    "resources",
    "securityContext",
    "stdin",
    "stdinOnce",
    "terminationMessagePath",
    "terminationMessagePolicy",
    "tty",
    "volumeDevices",
    "volumeMounts",
    "workingDir",
  ].map((field) => `.spec.${list}[*].${field}`),
);

const VOLUME_SOURCES = [
  "awsElasticBlockStore",
  "azureDisk",
  "azureFile",
  "cephfs",
  "cinder",
  "csi",
  "fc",
  "flexVolume",
  "flocker",
  "gcePersistentDisk",
  "glusterfs",
  "hostPath",
  "iscsi",
  "local",
  "nfs",
  "photonPersistentDisk",
  "portworxVolume",
  "quobyte",
  "rbd",
  "scaleIO",
  "storageos",
  "vsphereVolume",
].map((source) => `.spec.${source}`);

/**
 * Fields whose change replaces the object, by `group/version:kind`: the official provider's rules, which are not all that the API
 * refuses to change, and here and there more.
 */
const RULES: Readonly<Record<string, readonly string[]>> = {
  "apps/v1:DaemonSet": [".spec.selector"],
  "apps/v1:Deployment": [".spec.selector"],
  "apps/v1:StatefulSet": [
    ".spec.podManagementPolicy",
    ".spec.revisionHistoryLimit",
    ".spec.selector",
    ".spec.serviceName",
    ".spec.volumeClaimTemplates",
  ],
  "batch/v1:Job": [".spec.completions", ".spec.parallelism", ".spec.selector", ".spec.template"],
  "policy/v1beta1:PodDisruptionBudget": [".spec"],
  "rbac.authorization.k8s.io/v1:ClusterRoleBinding": [".roleRef"],
  "rbac.authorization.k8s.io/v1:RoleBinding": [".roleRef"],
  "storage.k8s.io/v1:StorageClass": [".parameters", ".provisioner"],
  "/v1:PersistentVolume": VOLUME_SOURCES,
  "/v1:PersistentVolumeClaim": [".spec.accessModes", ".spec.selector", ".spec.storageClassName", ".spec.volumeName"],
  "/v1:Pod": [...POD_SPEC, ...POD_CONTAINER],
  "/v1:ResourceQuota": [".spec.scopes"],
  "/v1:Secret": [".type"],
  "/v1:Service": [".spec.clusterIP"],
};

/** Paths of the object whose change means a new object. */
export function replacingPaths(object: KubeObject, mutable: Mutability): readonly Path[] {
  return [...IDENTITY, ...kindRules(object, mutable)].map(parsePath);
}

function kindRules(object: KubeObject, mutable: Mutability): readonly string[] {
  const immutable = object.immutable === true;
  if (isCore(object, "Secret") && (!mutable.secrets || immutable)) {
    return [".type", ".stringData", ".data"];
  }
  if (isCore(object, "ConfigMap")) {
    return !mutable.configMaps || immutable ? [".binaryData", ".data"] : [];
  }
  const { group, version, kind } = kindOfObject(object);
  return RULES[`${group}/${version}:${kind}`] ?? [];
}

/**
 * Whether a difference at `path`, whose new value is `value` (`undefined` when it was taken away), touches one of the rules: it lies at
 * or below the rule's field, or holds it.
 */
export function isReplacing(rules: readonly Path[], path: Path, value: Value | undefined): boolean {
  return rules.some((rule) => {
    const common = Math.min(rule.length, path.length);
    for (let index = 0; index < common; index += 1) {
      if (rule[index] !== "*" && rule[index] !== path[index]) {
        return false;
      }
    }
    return holds(value, rule.slice(path.length));
  });
}

/** Whether the value has something at the rest of a rule's path. */
function holds(value: Value | undefined, rest: Path): boolean {
  const [part, ...deeper] = rest;
  if (part === undefined) {
    return true;
  }
  if (part === "*") {
    return Array.isArray(value) && value.some((element) => holds(element, deeper));
  }
  return typeof part === "string" && isProperties(value) && Object.hasOwn(value, part) && holds(value[part], deeper);
}
