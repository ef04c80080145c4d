import type { Ceiling } from "../ceiling";
import type { Field } from "../judgement/field";
import type { Resource } from "../judgement/rule";

/** Labels by which Lucid's pods are known. */
export const NAME_LABEL = "app.kubernetes.io/name";
export const VERSION_LABEL = "app.kubernetes.io/version";
export const ZONE_LABEL = "lucid.internal/zone";
export const MESHED_LABEL = "lucid.internal/meshed";
export const COMPLETES_LABEL = "lucid.internal/completes";

/** What every namespace of the mesh begins with. */
const NAMESPACE_PREFIX = "lucid-";

/** Kinds without a namespace. Any other is taken to need one. */
const CLUSTER_SCOPED: ReadonlySet<string> = new Set([
  "core/Namespace",
  "core/PersistentVolume",
  "rbac.authorization.k8s.io/ClusterRole",
  "rbac.authorization.k8s.io/ClusterRoleBinding",
  "apiextensions.k8s.io/CustomResourceDefinition",
  "admissionregistration.k8s.io/ValidatingAdmissionPolicy",
  "admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding",
  "scheduling.k8s.io/PriorityClass",
  "storage.k8s.io/StorageClass",
]);

/** A Kubernetes object as the program declares it. */
export class KubeObject {
  private constructor(
    /** API group; `core` for the empty one. */
    readonly group: string,
    readonly kind: string,
    readonly body: Field,
  ) {}

  /** The object behind a resource; undefined for a resource that is no Kubernetes object. */
  static of(resource: Resource): KubeObject | undefined {
    const kind = kindOf(resource.type);
    return kind === undefined ? undefined : new KubeObject(kind.group, kind.kind, resource.properties);
  }

  /** How a message names a resource. */
  static titleOf(resource: Resource): string {
    const object = KubeObject.of(resource);
    if (object === undefined) return `${resource.type} ${resource.name}`;
    const metadata = resource.properties.at("metadata");
    const name = readable(metadata, "name") ?? resource.name;
    const namespace = readable(metadata, "namespace");
    return `${object.kind} ${namespace === undefined ? name : `${namespace}/${name}`}`;
  }

  get metadata(): Field {
    return this.body.at("metadata");
  }

  get spec(): Field {
    return this.body.at("spec");
  }

  /** `<group>/<kind>`, whatever the version. */
  get groupKind(): string {
    return `${this.group}/${this.kind}`;
  }

  get isNamespaced(): boolean {
    return !CLUSTER_SCOPED.has(this.groupKind);
  }

  /** Where the object lies: its `metadata.namespace`, or a Namespace's own name. */
  get namespace(): Field {
    return this.metadata.at(this.groupKind === "core/Namespace" ? "name" : "namespace");
  }

  /** @throws Unjudgeable where the name can't be known. */
  get name(): string | undefined {
    return this.metadata.at("name").text();
  }

  /**
   * Whether the mesh's rules apply: the object lies in a namespace `lucid-*`, or it can't be told where it lies.
   */
  get concernsMesh(): boolean {
    const { namespace } = this;
    // An empty one is none: the provider puts the object into the namespace that its kubeconfig names.
    return namespace.isUnknown || namespace.isEmpty || (namespace.text() ?? "").startsWith(NAMESPACE_PREFIX);
  }

  /** The zone whose namespace the object lies in; undefined for any other namespace. @throws Unjudgeable where it can't be known. */
  zone(ceiling: Pick<Ceiling, "members">): string | undefined {
    return zoneOfNamespace(this.namespace.text(), ceiling);
  }
}

/** The zone of `lucid-<zone>`, if there is one of that name. */
export function zoneOfNamespace(namespace: string | undefined, ceiling: Pick<Ceiling, "members">): string | undefined {
  if (!namespace?.startsWith(NAMESPACE_PREFIX)) return undefined;
  const zone = namespace.slice(NAMESPACE_PREFIX.length);
  return Object.hasOwn(ceiling.members, zone) ? zone : undefined;
}

/**
 * Group and kind of a type such as `kubernetes:apps/v1:Deployment`, or `kubernetes:v1:ConfigMap` as a CustomResource would name it; undefined for
 * other packages. The SDK's components (`kubernetes:yaml:ConfigFile`) have their module as group.
 */
export function kindOf(type: string): { readonly group: string; readonly kind: string } | undefined {
  const [provider, module, kind] = type.split(":");
  if (provider !== "kubernetes" || module === undefined || kind === undefined) return undefined;
  const slash = module.lastIndexOf("/");
  if (slash < 0) return { group: /^v\d/.test(module) ? "core" : module, kind };
  return { group: module.slice(0, slash), kind };
}

/** Whether a type is a Kubernetes object of one of these kinds, in any group and version. */
export function isKind(type: string, ...kinds: readonly string[]): boolean {
  const kind = kindOf(type)?.kind;
  return kind !== undefined && kinds.includes(kind);
}

function readable(metadata: Field, key: string): string | undefined {
  try {
    return metadata.at(key).text();
  } catch {
    return undefined;
  }
}
