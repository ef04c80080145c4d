import { randomBytes } from "node:crypto";

import { isProperties, type Value } from "../protocol/values";
import { ANNOTATIONS } from "./naming";
import { annotationOf, at, type KubeObject, objectAt, objectsAt, textAt, withAt, withoutAt } from "./objects";
import { parsePath } from "./paths";

/** The manager under which objects are created; the first update turns its fields over to the object's own manager. */
export const CREATE_MANAGER = "pulumi-kubernetes";

/** Managers, by the beginning of their names, whose fields an update takes over: earlier versions of the provider, and kubectl. */
const TAKEN_OVER: readonly { readonly prefix: string; readonly operation: "Apply" | "Update" }[] = [
  { prefix: "kubectl", operation: "Apply" },
  { prefix: "kubectl", operation: "Update" },
  { prefix: "before-first-apply", operation: "Update" },
  { prefix: CREATE_MANAGER, operation: "Update" },
  { prefix: "pulumi-resource-kubernetes", operation: "Update" },
];

/**
 * The name under which server-side apply manages an object's fields: the annotation's, the state's, or a new one. Each object has its
 * own, so that two stacks never pass for one another.
 */
export function fieldManagerFor(inputs: KubeObject, stored: string, serverSideApply: boolean): string {
  if (!serverSideApply) {
    return CREATE_MANAGER;
  }
  return (
    annotationOf(inputs, ANNOTATIONS.patchFieldManager) ||
    stored ||
    `pulumi-kubernetes-${randomBytes(4).toString("hex")}`
  );
}

/**
 * The object's managed fields with those of kubectl and of creation turned over to `manager`; `undefined` where there is nothing to
 * turn over. Without it, fields that the program no longer names would stay for good, with the other manager as their owner.
 */
export function takeOver(live: KubeObject, manager: string): KubeObject[] | undefined {
  const entries = objectsAt(live, "metadata", "managedFields");
  const isTaken = (entry: KubeObject): boolean =>
    textAt(entry, "subresource") === "" &&
    TAKEN_OVER.some(
      ({ prefix, operation }) =>
        textAt(entry, "manager").startsWith(prefix) && textAt(entry, "operation") === operation,
    );
  const isOwn = (entry: KubeObject): boolean =>
    textAt(entry, "manager") === manager && textAt(entry, "operation") === "Apply";
  const taken = entries.filter((entry) => !isOwn(entry) && isTaken(entry));
  const [first] = taken;
  if (first === undefined) {
    return undefined;
  }
  const own = entries.find(isOwn) ?? { ...first, manager, operation: "Apply" };
  const fields = [own, ...taken].reduce<KubeObject>((merged, entry) => merge(merged, objectAt(entry, "fieldsV1")), {});
  return [...entries.filter((entry) => !isOwn(entry) && !isTaken(entry)), { ...own, fieldsV1: fields }];
}

/** The union of two sets of fields; a set is a tree whose leaves are empty objects. */
function merge(left: KubeObject, right: KubeObject): KubeObject {
  const merged: KubeObject = { ...left };
  for (const [key, value] of Object.entries(right)) {
    const existing = merged[key];
    merged[key] = isProperties(existing) && isProperties(value) ? merge(existing, value) : value;
  }
  return merged;
}

/**
 * Whether an apply may take fields from other managers. At previews it may where the real run will have turned them over before, or
 * where the object is replaced.
 *
 * @param live the object as it is; `undefined` when it is to be created
 */
export function mayForce(
  inputs: KubeObject,
  live: KubeObject | undefined,
  patchForce: boolean,
  preview: boolean,
): boolean {
  if (patchForce || annotationOf(inputs, ANNOTATIONS.patchForce) === "true") {
    return true;
  }
  if (live === undefined) {
    return preview;
  }
  const entries = objectsAt(live, "metadata", "managedFields");
  const createdByUs = entries.some(
    (entry) =>
      textAt(entry, "operation") === "Update" &&
      [CREATE_MANAGER, "pulumi-kubernetes.exe", "pulumi-resource-kubernetes"].includes(textAt(entry, "manager")),
  );
  // An object from before managed fields has no owners to respect.
  return entries.length === 0 || (preview && createdByUs);
}

/**
 * The inputs to apply when some fields are to be ignored: a field that only another manager owns is left out, any other one is applied
 * with the value it has, so that nothing takes it away.
 */
export function withIgnoredFields(
  inputs: KubeObject,
  live: KubeObject,
  manager: string,
  ignoreChanges: readonly string[],
): KubeObject {
  const entries = objectsAt(live, "metadata", "managedFields");
  const ownedBy = (own: boolean): readonly KubeObject[] =>
    entries
      .filter((entry) => (textAt(entry, "manager") === manager) === own)
      .map((entry) => objectAt(entry, "fieldsV1"));
  return ignoreChanges.map(parsePath).reduce<KubeObject>((current, path) => {
    const members = path.filter((part) => typeof part === "string" && part !== "*") as string[];
    if (members.length !== path.length) {
      return current;
    }
    const owns = (fields: KubeObject): boolean => at(fields, ...members.map((member) => `f:${member}`)) !== undefined;
    if (ownedBy(false).some(owns) && !ownedBy(true).some(owns)) {
      return withoutAt(current, members);
    }
    const value: Value | undefined = at(live, ...members);
    return value === undefined ? current : withAt(current, members, value);
  }, inputs);
}
