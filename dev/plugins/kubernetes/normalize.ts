import { containsUnknowns, type Value } from "../protocol/values";
import { isBuiltIn, isCore, isCustomResourceDefinition, kindOfObject } from "./kinds";
import { at, type KubeObject, objectAt, withAt, withoutAt } from "./objects";

/** Fields of `metadata` that only the API server writes. */
const READ_ONLY_METADATA: readonly string[] = [
  "creationTimestamp",
  "deletionGracePeriodSeconds",
  "deletionTimestamp",
  "generation",
  "managedFields",
  "resourceVersion",
  "uid",
];

/**
 * The inputs in the form in which the API server stores them, so that equal meanings are equal values: a Secret's `stringData` as
 * `data`, no `status` in a CustomResourceDefinition, no read-only metadata. Objects with unknowns are left as they are.
 */
export function normalize(object: KubeObject): KubeObject {
  let result = object;
  if (!containsUnknowns(object) && isBuiltIn(kindOfObject(object))) {
    if (isCore(object, "Secret")) {
      result = normalizeSecret(result);
    } else if (isCustomResourceDefinition(object)) {
      result = normalizeDefinition(result);
    }
  }
  return READ_ONLY_METADATA.reduce((current, field) => withoutAt(current, ["metadata", field]), result);
}

function normalizeSecret(object: KubeObject): KubeObject {
  const stringData = Object.entries(objectAt(object, "stringData"));
  if (stringData.length > 0 && stringData.every(([, text]) => typeof text === "string")) {
    const encoded = stringData.map(([key, text]) => [key, typeof text === "string" ? toBase64(text) : text]);
    const data = { ...objectAt(object, "data"), ...(Object.fromEntries(encoded) as KubeObject) };
    return withAt(withoutAt(object, ["stringData"]), ["data"], data);
  }
  const data = Object.entries(objectAt(object, "data"));
  return data.length === 0
    ? object
    : withAt(object, ["data"], Object.fromEntries(data.map(([key, value]) => [key, canonicalBase64(value)])));
}

function toBase64(text: string): string {
  return Buffer.from(text, "utf8").toString("base64");
}

/** The API server decodes and encodes the text again, which takes line breaks out; text that isn't base64 is left for it to refuse. */
function canonicalBase64(value: Value): Value {
  if (typeof value !== "string" || !/^[A-Za-z0-9+/\r\n]*={0,2}[\r\n]*$/.test(value)) {
    return value;
  }
  return Buffer.from(value, "base64").toString("base64");
}

function normalizeDefinition(object: KubeObject): KubeObject {
  const withoutStatus = withoutAt(object, ["status"]);
  return at(object, "spec", "preserveUnknownFields") === false
    ? withoutAt(withoutStatus, ["spec", "preserveUnknownFields"])
    : withoutStatus;
}
