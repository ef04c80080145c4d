/**
 * Kinds that say nothing about who reaches whom at the network layer, as `<group>/<kind>` (`core` for the empty group), whatever the version. The
 * list is closed: another kind (AdminNetworkPolicy, a CNI's own policies) might open or close what NetworkPolicies alone don't show.
 */
export const WITHOUT_EFFECT: ReadonlySet<string> = new Set([
  "core/ConfigMap",
  "core/Event",
  "core/LimitRange",
  "core/PersistentVolume",
  "core/PersistentVolumeClaim",
  "core/PodTemplate",
  "core/ResourceQuota",
  "core/Secret",
  // A name and a virtual address for pods: the connection is judged once it has a pod's own.
  "core/Service",
  "core/ServiceAccount",
  "admissionregistration.k8s.io/ValidatingAdmissionPolicy",
  "admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding",
  "apiextensions.k8s.io/CustomResourceDefinition",
  "apps/ControllerRevision",
  "autoscaling/HorizontalPodAutoscaler",
  "coordination.k8s.io/Lease",
  // What a service is declared to be, for who reads it: nobody is let in by it.
  "mesh.lucid.internal/MeshService",
  "policy/PodDisruptionBudget",
  "rbac.authorization.k8s.io/ClusterRole",
  "rbac.authorization.k8s.io/ClusterRoleBinding",
  "rbac.authorization.k8s.io/Role",
  "rbac.authorization.k8s.io/RoleBinding",
  "scheduling.k8s.io/PriorityClass",
  "storage.k8s.io/StorageClass",
]);

/** `<group>/<kind>` of an object. */
export function groupKind(apiVersion: string, kind: string): string {
  const slash = apiVersion.lastIndexOf("/");
  return `${slash < 0 ? "core" : apiVersion.slice(0, slash)}/${kind}`;
}
