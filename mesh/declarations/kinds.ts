/** Kinds of objects that are compared with what was declared of them. */

/** What a drift of an object means. */
export type DriftClass =
  /** Who reaches whom: NetworkPolicies. */
  | "isolation"
  /** What the API server lets in. */
  | "admission"
  /** Who may do what in the Kubernetes API. */
  | "rights"
  /** What sidecars and infrastructure go by. */
  | "configuration"
  /** What runs. */
  | "workloads"
  /** As whom it proves itself: the certificates that sidecars show. */
  | "identity"
  /** Whether what refuses refuses: a pod without sidecar, a network that lets through what it must not, rights at the discovery backend that nobody declares. */
  | "enforcement";

/** What the controller can put right by itself. Default: all of it. */
export const REPAIRED_CLASSES = ["isolation", "admission"] as const satisfies readonly DriftClass[];

export type RepairedClass = (typeof REPAIRED_CLASSES)[number];

/** What is compared, wherever it stands. */
export interface ComparedKind {
  readonly kind: string;
  readonly class: DriftClass;
  /** Fields of an object that are compared, besides the labels that are declared. */
  readonly fields: readonly string[];
  /** Nobody but the program makes objects of the kind in a zone: what isn't declared is drift. */
  readonly closed: boolean;
}

/** A kind of the Kubernetes API. */
export interface DeclaredKind extends ComparedKind {
  /** `""`: the core. */
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly scope: "Namespaced" | "Cluster";
}

const RBAC = { group: "rbac.authorization.k8s.io", version: "v1", class: "rights", closed: true } as const;
const ADMISSION = {
  group: "admissionregistration.k8s.io",
  version: "v1",
  scope: "Cluster",
  class: "admission",
  fields: ["spec"],
  closed: false,
} as const;
const WORKLOAD = {
  group: "apps",
  version: "v1",
  scope: "Namespaced",
  class: "workloads",
  fields: ["spec"],
  closed: true,
} as const;

export const DECLARED_KINDS: readonly DeclaredKind[] = [
  {
    kind: "NetworkPolicy",
    group: "networking.k8s.io",
    version: "v1",
    plural: "networkpolicies",
    scope: "Namespaced",
    class: "isolation",
    fields: ["spec"],
    closed: true,
  },
  {
    kind: "ConfigMap",
    group: "",
    version: "v1",
    plural: "configmaps",
    scope: "Namespaced",
    class: "configuration",
    fields: ["data", "binaryData"],
    closed: false,
  },
  { ...WORKLOAD, kind: "Deployment", plural: "deployments" },
  { ...WORKLOAD, kind: "DaemonSet", plural: "daemonsets" },
  { ...WORKLOAD, kind: "StatefulSet", plural: "statefulsets" },
  { ...RBAC, kind: "Role", plural: "roles", scope: "Namespaced", fields: ["rules"] },
  { ...RBAC, kind: "RoleBinding", plural: "rolebindings", scope: "Namespaced", fields: ["roleRef", "subjects"] },
  {
    ...RBAC,
    kind: "ClusterRole",
    plural: "clusterroles",
    scope: "Cluster",
    fields: ["rules", "aggregationRule"],
    closed: false,
  },
  {
    ...RBAC,
    kind: "ClusterRoleBinding",
    plural: "clusterrolebindings",
    scope: "Cluster",
    fields: ["roleRef", "subjects"],
  },
  { ...ADMISSION, kind: "ValidatingAdmissionPolicy", plural: "validatingadmissionpolicies" },
  { ...ADMISSION, kind: "ValidatingAdmissionPolicyBinding", plural: "validatingadmissionpolicybindings" },
];

const GRANTS = ["policies", "roles", "serviceIdentities", "nodeIdentities", "templatedPolicies"] as const;
const ACL = { class: "enforcement", closed: true } as const;

/** What says who may do what at the discovery backend, of a backend where that is compared; by the names of `@pulumi/consul`. They are in no namespace. */
export const ACL_KINDS = [
  { ...ACL, kind: "AclPolicy", fields: ["rules", "datacenters"] },
  { ...ACL, kind: "AclRole", fields: GRANTS },
  { ...ACL, kind: "AclToken", fields: GRANTS },
  { ...ACL, kind: "AclAuthMethod", fields: ["type"] },
  { ...ACL, kind: "AclBindingRule", fields: ["authMethod", "bindType", "bindName", "selector"] },
] as const satisfies readonly ComparedKind[];

export type AclKind = (typeof ACL_KINDS)[number]["kind"];

/** Whether objects of a kind stand at the discovery backend, and not in the Kubernetes API. */
export function isAclKind(kind: string): kind is AclKind {
  return ACL_KINDS.some((candidate) => candidate.kind === kind);
}

export function apiVersionOf({ group, version }: Pick<DeclaredKind, "group" | "version">): string {
  return group === "" ? version : `${group}/${version}`;
}

/** Path of the objects of a kind; of all namespaces where none is given. */
export function collectionPath(
  { group, version, plural }: Pick<DeclaredKind, "group" | "version" | "plural">,
  namespace?: string,
): string {
  const root = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
  return `${root}/${namespace === undefined ? "" : `namespaces/${namespace}/`}${plural}`;
}

/** A kind of the Kubernetes API. */
export function kindNamed(kind: string): DeclaredKind | undefined {
  return DECLARED_KINDS.find((candidate) => candidate.kind === kind);
}

/** A kind of the Kubernetes API, or of the discovery backend. */
export function comparedKind(kind: string): ComparedKind | undefined {
  return kindNamed(kind) ?? ACL_KINDS.find((candidate) => candidate.kind === kind);
}
