/** What is watched to find drift. */
import { collectionPath, DECLARED_KINDS, type DeclaredKind } from "../../../../mesh/declarations/index.js";
import type { Collection } from "../kubernetes/follow.js";

/** Pods are declared by what makes them. */
export const POD: DeclaredKind = {
  kind: "Pod",
  group: "",
  version: "v1",
  plural: "pods",
  scope: "Namespaced",
  class: "enforcement",
  fields: [],
  closed: false,
};

/** Objects of a page: of those that hold much, few. */
const LARGE_PAGE = 50;
const LARGE: readonly string[] = ["ConfigMap", "Deployment", "DaemonSet", "StatefulSet", "Pod"];

/** Kinds that are watched in the whole cluster: what is in no namespace, and who is given rights in which. */
export function isClusterWide(kind: DeclaredKind | undefined): boolean {
  return kind?.scope === "Cluster" || kind?.kind === "RoleBinding";
}

/** Collections that are watched once for a zone. */
export function zoneCollections(namespace: string): readonly (Collection & { readonly kind: DeclaredKind })[] {
  return [...DECLARED_KINDS, POD].filter((kind) => !isClusterWide(kind)).map((kind) => collection(kind, namespace));
}

/** Collections that are watched once for all zones. */
export function clusterCollections(): readonly (Collection & { readonly kind: DeclaredKind })[] {
  return DECLARED_KINDS.filter(isClusterWide).map((kind) => collection(kind));
}

function collection(kind: DeclaredKind, namespace?: string): Collection & { readonly kind: DeclaredKind } {
  const path = collectionPath(kind, namespace);
  return { kind, path, ...(LARGE.includes(kind.kind) ? { page: LARGE_PAGE } : {}) };
}
