import { isProperties, isUnknown, type Properties, type Value } from "../protocol/values";

/** A Kubernetes object, or a part of one, as plain JSON; at previews it may hold unknowns. Secrets have been taken off. */
export type KubeObject = Properties;

/** The value at a path of object members; `undefined` where a member is missing. */
export function at(value: Value | undefined, ...path: readonly string[]): Value | undefined {
  let current = value;
  for (const member of path) {
    if (!isProperties(current)) {
      return undefined;
    }
    current = Object.hasOwn(current, member) ? current[member] : undefined;
  }
  return current;
}

/** The text at a path; "" where there is none. */
export function textAt(value: Value | undefined, ...path: readonly string[]): string {
  const found = at(value, ...path);
  return typeof found === "string" ? found : "";
}

/** The number at a path; `undefined` where there is none. */
export function numberAt(value: Value | undefined, ...path: readonly string[]): number | undefined {
  const found = at(value, ...path);
  return typeof found === "number" ? found : undefined;
}

/** The list at a path; empty where there is none. */
export function listAt(value: Value | undefined, ...path: readonly string[]): readonly Value[] {
  const found = at(value, ...path);
  return Array.isArray(found) ? found : [];
}

/** The objects of the list at a path. */
export function objectsAt(value: Value | undefined, ...path: readonly string[]): readonly KubeObject[] {
  return listAt(value, ...path).filter((element) => isProperties(element));
}

/** The object at a path; empty where there is none. */
export function objectAt(value: Value | undefined, ...path: readonly string[]): KubeObject {
  const found = at(value, ...path);
  return isProperties(found) ? found : {};
}

/** A copy with the value at the path set; members on the way that are missing or no objects are made. */
export function withAt(object: KubeObject, path: readonly string[], value: Value): KubeObject {
  const [member, ...rest] = path;
  if (member === undefined) {
    return object;
  }
  return { ...object, [member]: rest.length === 0 ? value : withAt(objectAt(object, member), rest, value) };
}

/** A copy without the member at the path. */
export function withoutAt(object: KubeObject, path: readonly string[]): KubeObject {
  const [member, ...rest] = path;
  if (member === undefined || !Object.hasOwn(object, member)) {
    return object;
  }
  const { [member]: inner, ...others } = object;
  if (rest.length === 0) {
    return others;
  }
  return isProperties(inner) ? { ...object, [member]: withoutAt(inner, rest) } : object;
}

export function nameOf(object: KubeObject): string {
  return textAt(object, "metadata", "name");
}

export function namespaceOf(object: KubeObject): string {
  return textAt(object, "metadata", "namespace");
}

export function kindOf(object: KubeObject): string {
  return textAt(object, "kind");
}

export function apiVersionOf(object: KubeObject): string {
  return textAt(object, "apiVersion");
}

export function uidOf(object: KubeObject): string {
  return textAt(object, "metadata", "uid");
}

/** The value of an annotation; "" where there is none. */
export function annotationOf(object: KubeObject, key: string): string {
  return textAt(object, "metadata", "annotations", key);
}

/** Whether the object has a name, known or not yet known. */
export function isNamed(object: KubeObject): boolean {
  return nameOf(object) !== "" || isUnknown(at(object, "metadata", "name"));
}

/** The id of an object in the state: `namespace/name`, or `name` for one without namespace. */
export function idOf(object: KubeObject): string {
  const namespace = namespaceOf(object);
  return namespace === "" ? nameOf(object) : `${namespace}/${nameOf(object)}`;
}

/** The parts of {@link idOf}. */
export function parseId(id: string): { readonly namespace: string; readonly name: string } {
  const slash = id.indexOf("/");
  return slash < 0 ? { namespace: "", name: id } : { namespace: id.slice(0, slash), name: id.slice(slash + 1) };
}

/** Whether `object` names `owner` among its owners (directly: a Pod's owner is the ReplicaSet, not the Deployment). */
export function isOwnedBy(object: KubeObject, owner: KubeObject): boolean {
  const uid = uidOf(owner);
  return uid !== "" && objectsAt(object, "metadata", "ownerReferences").some((reference) => reference.uid === uid);
}
