/**
 * A resource's properties as plain data, in which what the engine does not know yet stands as {@link UNKNOWN}.
 *
 * CrossGuard hands properties over behind a proxy that throws when an unknown is read, and turns that throw into an *advisory* remark: a rule that
 * reads an unknown would block nothing. So properties are copied once, and every rule says itself what it makes of an unknown.
 */

/** Stands where a value is known only during the update. */
export const UNKNOWN: unique symbol = Symbol("unknown at preview");

export type Plain =
  null | boolean | number | string | typeof UNKNOWN | readonly Plain[] | { readonly [key: string]: Plain };

/** A deep copy of `value`, safe to read anywhere. Absent properties stay absent. */
export function plainCopy(value: unknown): Plain {
  if (value === null || value === undefined) return null;
  if (typeof value === "boolean" || typeof value === "number" || typeof value === "string") return value;
  if (Array.isArray(value)) return Array.from({ length: value.length }, (_, index) => copyField(value, index));
  if (typeof value === "object") {
    // `fromEntries` defines own properties, so that a key named `__proto__` is data like any other.
    return Object.fromEntries(Object.keys(value).map((key) => [key, copyField(value, key)]));
  }
  throw new TypeError(`A resource property is a ${typeof value}; only JSON values can be judged.`);
}

function copyField(container: object, key: string | number): Plain {
  let field: unknown;
  try {
    field = Reflect.get(container, key);
  } catch (error) {
    if (isUnknownValueError(error)) return UNKNOWN;
    throw error;
  }
  return plainCopy(field);
}

/** `UnknownValueError` of `@pulumi/policy`, which does not export the class. */
function isUnknownValueError(error: unknown): boolean {
  return error instanceof Error && "unknownTypeSentinel" in error;
}
