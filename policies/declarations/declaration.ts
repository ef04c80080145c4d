import type { Field } from "../judgement/field";
import type { Plain } from "../judgement/plain";
import { isKind, KubeObject } from "../kubernetes/object";
import type { StackResource } from "../judgement/rule";

/** Label of the ConfigMaps by which the controller knows what was declared, and what their names begin with. */
const LABEL = "lucid.internal/declaration";
const PREFIX = "lucid-declared-";
/** The name that goes with each value of the label. */
const NAMES = {
  objects: /^lucid-declared-\d+$/,
  trust: /^lucid-declared-trusted$/,
  done: /^lucid-declared-done$/,
} as const;
/** Where that is declared which lies in no namespace of a zone. */
export const SHARED = "lucid-mesh";

/** What the controller writes as it is declared, or takes away where it isn't: nothing of it is left open. */
const WRITTEN: readonly string[] = [
  "networking.k8s.io/NetworkPolicy",
  "admissionregistration.k8s.io/ValidatingAdmissionPolicy",
  "admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding",
];

/** Kinds of objects that are declared, each with the fields that are told of it. */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  "networking.k8s.io/NetworkPolicy": ["spec"],
  "core/ConfigMap": ["data", "binaryData"],
  "apps/Deployment": ["spec"],
  "apps/DaemonSet": ["spec"],
  "apps/StatefulSet": ["spec"],
  "rbac.authorization.k8s.io/Role": ["rules"],
  "rbac.authorization.k8s.io/RoleBinding": ["roleRef", "subjects"],
  "rbac.authorization.k8s.io/ClusterRole": ["rules", "aggregationRule"],
  "rbac.authorization.k8s.io/ClusterRoleBinding": ["roleRef", "subjects"],
  "admissionregistration.k8s.io/ValidatingAdmissionPolicy": ["spec"],
  "admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding": ["spec"],
};
const KINDS = Object.keys(FIELDS).map((groupKind) => groupKind.slice(groupKind.indexOf("/") + 1));

/** What one of the ConfigMaps holds; undefined where its label says none of it. */
export type What = keyof typeof NAMES | undefined;

/** What the plan makes, and how a declaration has to tell of it. */
export interface Told {
  readonly resource: StackResource;
  /** By what a declaration names it. */
  readonly key: string;
  /** The namespace in which it is declared. */
  readonly home: string;
  /** Whether its values are files, which are told by their digests. */
  readonly isFiles: boolean;
  /** Whether a value may be left open, or told by its digest. */
  readonly mayStand: boolean;
  /** What its entry says. @throws Unjudgeable */
  readonly told: Plain;
}

/** An object of the plan that is declared, or is a declaration itself. */
export class DeclaredObject implements Told {
  private constructor(
    readonly resource: StackResource,
    readonly object: KubeObject,
  ) {}

  /** Undefined of what is not declared. By what it is asked for: what a provider answers has the API server's defaults in it. @throws Unjudgeable */
  static of(resource: StackResource): DeclaredObject | undefined {
    const { type, name } = resource;
    if (!isKind(type, ...KINDS)) return undefined;
    const object = KubeObject.of({ type, name, properties: resource.declared ?? resource.properties });
    return object !== undefined && Object.hasOwn(FIELDS, object.groupKind)
      ? new DeclaredObject(resource, object)
      : undefined;
  }

  get isDeclaration(): boolean {
    const { name = "", metadata } = this.object;
    return this.isFiles && (metadata.at("labels").has(LABEL) || name.startsWith(PREFIX));
  }

  get isFiles(): boolean {
    return this.object.groupKind === "core/ConfigMap";
  }

  /** What it holds as a declaration. */
  get what(): What {
    const label = this.object.metadata.at("labels", LABEL).text() ?? "";
    return Object.hasOwn(NAMES, label) ? (label as keyof typeof NAMES) : undefined;
  }

  /** Whether it bears the name that goes with what it holds. */
  get isNamed(): boolean {
    const { what } = this;
    return what !== undefined && NAMES[what].test(this.object.name ?? "");
  }

  get key(): string {
    const { object } = this;
    const namespace = object.isNamespaced ? [object.namespace.text() ?? ""] : [];
    return [object.kind, ...namespace, object.name ?? ""].join(".");
  }

  get home(): string {
    const { object } = this;
    return object.isNamespaced && object.concernsMesh ? (object.namespace.text() ?? "") : SHARED;
  }

  get mayStand(): boolean {
    return !WRITTEN.includes(this.object.groupKind);
  }

  get told(): Plain {
    const { body, groupKind, kind, isNamespaced, namespace, metadata } = this.object;
    const fields = (FIELDS[groupKind] ?? []).filter((name) => body.has(name));
    return {
      kind,
      ...(isNamespaced ? { namespace: namespace.plain } : {}),
      name: metadata.at("name").plain,
      labels: metadata.at("labels").plain ?? {},
      fields: Object.fromEntries(fields.map((name) => [name, body.at(name).plain])),
    };
  }
}

/** Digest, as a declaration holds it, of the file by which sidecars trust a zone. */
export function trustDigestOf({ object }: DeclaredObject, zone: string): Field {
  return object.metadata.at("annotations", `lucid.internal/trust-${zone}-digest`);
}
