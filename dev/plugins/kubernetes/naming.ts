import { createHash } from "node:crypto";

import { isUnknown } from "../protocol/values";
import { annotationOf, at, isNamed, type KubeObject, nameOf, withAt } from "./objects";

/** Annotations by which a program steers the provider. */
export const ANNOTATIONS = {
  autonamed: "pulumi.com/autonamed",
  deletionPropagation: "pulumi.com/deletionPropagationPolicy",
  patchFieldManager: "pulumi.com/patchFieldManager",
  patchForce: "pulumi.com/patchForce",
  replaceUnready: "pulumi.com/replaceUnready",
  skipAwait: "pulumi.com/skipAwait",
  timeoutSeconds: "pulumi.com/timeoutSeconds",
  waitFor: "pulumi.com/waitFor",
} as const;

/** The label that objects get when server-side apply is off; with it on, the field manager says as much. */
const MANAGED_BY = "app.kubernetes.io/managed-by";

/** Whether the name was generated: the object can then be replaced by one of another name before it goes. */
export function isAutonamed(object: KubeObject): boolean {
  return annotationOf(object, ANNOTATIONS.autonamed) === "true";
}

/** Gives an unnamed object a generated name: the resource's name, a dash, and eight hexadecimal digits. */
export function withGeneratedName(object: KubeObject, resourceName: string, randomSeed: Uint8Array): KubeObject {
  if (isNamed(object) || at(object, "metadata", "generateName") !== undefined) {
    return object;
  }
  const suffix = createHash("sha256").update(randomSeed).update(resourceName).digest("hex").slice(0, 8);
  return markAutonamed(object, `${resourceName}-${suffix}`);
}

/** Gives an unnamed object the name that was generated for it before. */
export function withFormerName(object: KubeObject, former: KubeObject): KubeObject {
  return !isNamed(object) && isAutonamed(former) ? markAutonamed(object, nameOf(former)) : object;
}

function markAutonamed(object: KubeObject, name: string): KubeObject {
  const named = withAt(object, ["metadata", "name"], name);
  // Nothing can be put into annotations that aren't known yet.
  return isUnknown(at(object, "metadata", "annotations"))
    ? named
    : withAt(named, ["metadata", "annotations", ANNOTATIONS.autonamed], "true");
}

export function hasManagedByLabel(object: KubeObject): boolean {
  return at(object, "metadata", "labels", MANAGED_BY) === "pulumi";
}

export function withManagedByLabel(object: KubeObject): KubeObject {
  return isUnknown(at(object, "metadata", "labels"))
    ? object
    : withAt(object, ["metadata", "labels", MANAGED_BY], "pulumi");
}
