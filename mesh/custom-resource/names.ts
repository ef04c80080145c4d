/** How `MeshService` is named in the Kubernetes API: what a service is declared to be, and what is known of it, where `kubectl` and controllers read it. */
export const MESH_SERVICE = {
  group: "mesh.lucid.internal",
  version: "v1alpha1",
  apiVersion: "mesh.lucid.internal/v1alpha1",
  kind: "MeshService",
  listKind: "MeshServiceList",
  plural: "meshservices",
  singular: "meshservice",
  shortNames: ["msvc"],
  /** Name of its CustomResourceDefinition. */
  definition: "meshservices.mesh.lucid.internal",
} as const;

/** Path of a namespace's `MeshService` objects. */
export function meshServicesPath(namespace: string): string {
  return `/apis/${MESH_SERVICE.apiVersion}/namespaces/${namespace}/${MESH_SERVICE.plural}`;
}
