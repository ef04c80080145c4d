import { Field } from "../../judgement/field";
import type { Plain } from "../../judgement/plain";
import { ZONE_NAMESPACE } from "../party";

/**
 * The objects of the mesh's namespaces, and those of which it can't be told where they lie. Pods of other namespaces are then nobody's in particular: who
 * opens a way to them or from them opens it to whoever may be there.
 *
 * @param objects of a plan, of files or of a cluster; `v1/List`s, as kubectl prints them, are taken apart
 */
export function meshObjects(objects: readonly Plain[]): readonly Plain[] {
  return objects.flatMap(unlisted).filter((object) => {
    const namespace = namespaceOf(new Field(object));
    return namespace === undefined || namespace.startsWith(ZONE_NAMESPACE);
  });
}

/** The namespace that an object lies in or is; undefined where that can't be told, and for what lies in none. */
export function namespaceOf(object: Field): string | undefined {
  try {
    const key = object.at("kind").is("Namespace") ? "name" : "namespace";
    const name = object.at("metadata", key).text();
    return name === "" ? undefined : name;
  } catch {
    return undefined;
  }
}

/** A list that isn't as kubectl prints it stays what it is, and nothing models that. */
function unlisted(object: Plain): readonly Plain[] {
  if (typeof object !== "object" || object === null || Array.isArray(object)) return [object];
  const { kind, apiVersion, items } = object as { readonly [key: string]: Plain };
  return kind === "List" && apiVersion === "v1" && Array.isArray(items) ? (items as readonly Plain[]) : [object];
}
