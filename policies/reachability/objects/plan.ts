import { Unjudgeable } from "../../judgement/field";
import type { Field } from "../../judgement/field";
import type { Plain } from "../../judgement/plain";
import type { Resource } from "../../judgement/rule";
import { kindOf } from "../../kubernetes/object";

/** A Kubernetes object of a plan, and the resource that asks for it. */
export interface PlannedObject<R extends Resource = Resource> {
  readonly resource: R;
  /** As it would be sent to the API server; what is not known before the update stands in it as unknown. */
  readonly object: Plain;
}

/**
 * The Kubernetes object that a resource asks for; undefined for a resource of another kind. Its inputs hold the object, its type says which API it is of.
 * A type that holds something else than one object (a chart, a Patch, a List) becomes an object of that kind, which nothing models.
 *
 * @throws Unjudgeable where type and inputs name two kinds: which of them will be made depends on the provider
 */
export function plannedObject<R extends Resource>(resource: R): PlannedObject<R> | undefined {
  const kind = kindOf(resource.type);
  if (kind === undefined) return undefined;
  const { properties } = resource;
  const version = resource.type.split(":")[1]?.split("/").at(-1) ?? "";
  const typed = {
    apiVersion: kind.group === "core" ? version : `${kind.group}/${version}`,
    kind: kind.kind,
  };
  refuseOther(properties.at("apiVersion"), typed.apiVersion);
  refuseOther(properties.at("kind"), typed.kind);
  const fields = Object.fromEntries(properties.entries().map(([key, field]) => [key, field.plain]));
  return { resource, object: { ...fields, ...typed } };
}

function refuseOther(field: Field, expected: string): void {
  if (!field.isAbsentOr(expected))
    throw new Unjudgeable(field.path, `is ${field.shown()}, and the resource's type is of ${expected}`, "leave it out");
}
