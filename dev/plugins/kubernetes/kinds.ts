import type { KubeObject } from "./objects";
import { apiVersionOf, kindOf } from "./objects";

/** What a type token or an object says it is. `group` is "" for the core group. */
export interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** `v1`, `apps/v1`: the form that `apiVersion` has. */
export function apiVersion(gvk: GroupVersionKind): string {
  return gvk.group === "" ? gvk.version : `${gvk.group}/${gvk.version}`;
}

/** Reads `kubernetes:apps/v1:Deployment`; `undefined` for a token of another form (helm, kustomize, yaml components have none). */
export function parseToken(token: string): GroupVersionKind | undefined {
  const [pkg, module, kind] = token.split(":");
  const parts = module?.split("/") ?? [];
  const [group, version] = parts;
  if (pkg !== "kubernetes" || parts.length !== 2 || !group || !version || !kind) {
    return undefined;
  }
  return { group: group === "core" ? "" : group, version, kind };
}

/** What an object says it is. */
export function kindOfObject(object: KubeObject): GroupVersionKind {
  const parts = apiVersionOf(object).split("/");
  const [first = "", second] = parts;
  const kind = kindOf(object);
  return second === undefined
    ? { group: "", version: first, kind }
    : { group: first === "core" ? "" : first, version: second, kind };
}

/**
 * Modules of the SDK that are no plain objects of the API: they render other resources, or run Helm. The stand-in has none of them.
 */
const COMPONENT_GROUPS: ReadonlySet<string> = new Set(["helm.sh", "kustomize", "yaml"]);

/** Why a type isn't served here; `undefined` for one that is. */
export function refusal(token: string): string | undefined {
  const gvk = parseToken(token);
  if (gvk === undefined || COMPONENT_GROUPS.has(gvk.group)) {
    return `${token} is not implemented by this stand-in of the Kubernetes plugin: it serves plain API objects only`;
  }
  // Official patch types are named so; a custom resource's own kind may end in "Patch" too and is served.
  if (gvk.kind.endsWith("Patch") && isBuiltIn(gvk)) {
    return `${token}: patch resources are not implemented by this stand-in of the Kubernetes plugin`;
  }
  if (gvk.kind.endsWith("List") && isBuiltIn(gvk)) {
    return `${token}: list resources cannot be created; declare the objects of the list instead`;
  }
  return undefined;
}

const BUILT_IN_GROUPS: ReadonlySet<string> = new Set([
  "",
  "admissionregistration.k8s.io",
  "apiextensions.k8s.io",
  "apiregistration.k8s.io",
  "apps",
  "autoscaling",
  "batch",
  "certificates.k8s.io",
  "coordination.k8s.io",
  "discovery.k8s.io",
  "events.k8s.io",
  "extensions",
  "flowcontrol.apiserver.k8s.io",
  "networking.k8s.io",
  "node.k8s.io",
  "policy",
  "rbac.authorization.k8s.io",
  "resource.k8s.io",
  "scheduling.k8s.io",
  "storage.k8s.io",
  "storagemigration.k8s.io",
]);

/** Whether the API server itself defines the kind: its defaults and normal forms are then known here. */
export function isBuiltIn(gvk: GroupVersionKind): boolean {
  return BUILT_IN_GROUPS.has(gvk.group);
}

const CLUSTER_SCOPED: ReadonlySet<string> = new Set([
  "APIService",
  "CertificateSigningRequest",
  "ClusterRole",
  "ClusterRoleBinding",
  "ClusterTrustBundle",
  "CSIDriver",
  "CSINode",
  "CustomResourceDefinition",
  "DeviceClass",
  "FlowSchema",
  "IPAddress",
  "IngressClass",
  "MutatingAdmissionPolicy",
  "MutatingAdmissionPolicyBinding",
  "MutatingWebhookConfiguration",
  "Namespace",
  "Node",
  "PersistentVolume",
  "PriorityClass",
  "PriorityLevelConfiguration",
  "ResourceSlice",
  "RuntimeClass",
  "ServiceCIDR",
  "StorageClass",
  "ValidatingAdmissionPolicy",
  "ValidatingAdmissionPolicyBinding",
  "ValidatingWebhookConfiguration",
  "VolumeAttachment",
  "VolumeAttributesClass",
]);

/** Whether objects of a built-in kind lie in a namespace; `undefined` for kinds that only the cluster knows. */
export function builtInScope(gvk: GroupVersionKind): "namespaced" | "cluster" | undefined {
  if (!isBuiltIn(gvk)) {
    return undefined;
  }
  return CLUSTER_SCOPED.has(gvk.kind) ? "cluster" : "namespaced";
}

export function isCustomResourceDefinition(object: KubeObject): boolean {
  return kindOf(object) === "CustomResourceDefinition" && kindOfObject(object).group === "apiextensions.k8s.io";
}

/** Whether the object is of this kind of the core group. */
export function isCore(object: KubeObject, kind: string): boolean {
  return kindOf(object) === kind && kindOfObject(object).group === "";
}
