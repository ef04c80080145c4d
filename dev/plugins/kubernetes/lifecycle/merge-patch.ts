import { isProperties, sameValue, type Value } from "../../protocol/values";
import type { KubeObject } from "../objects";

/** The JSON merge patch (RFC 7386) that makes `after` of `before`. */
export function mergePatch(before: KubeObject, after: KubeObject): KubeObject {
  const patch: KubeObject = {};
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const old = before[key];
    const value: Value | undefined = after[key];
    if (value === undefined) {
      patch[key] = null;
    } else if (isProperties(old) && isProperties(value)) {
      const inner = mergePatch(old, value);
      if (Object.keys(inner).length > 0) {
        patch[key] = inner;
      }
    } else if (!sameValue(old, value)) {
      patch[key] = value;
    }
  }
  return patch;
}
