import type { CheckFailure } from "./provider";
import { childPath } from "./diff";
import { isProperties, isUnknown, type Properties, reveal, type Value } from "./values";

/** What a value must be; an object is given by its own fields. */
export type FieldType = "string" | "boolean" | "integer" | "strings" | "map" | Fields;

/** One input of a resource type. */
export interface Field {
  readonly type: FieldType;
  readonly required?: boolean;
  /** Value that the official provider takes where none is given; it stands in the outputs, not in the inputs. */
  readonly default?: Value;
  /** Least value of an integer. */
  readonly min?: number;
  /** Values that a string, or each string of a list, may have. */
  readonly oneOf?: readonly string[];
  /** Can change without a new object. Default: it can't. */
  readonly inPlace?: boolean;
  /** Has the official provider, but not this stand-in: refused when given. */
  readonly notImplemented?: boolean;
}

export type Fields = Readonly<{ [name: string]: Field }>;

/**
 * Fields of an SDK's argument type: the compiler refuses a table that lacks one of its inputs, or has one it doesn't know, so that an
 * upgrade of the SDK can't go unnoticed.
 */
export type FieldsOf<Args> = { readonly [Name in keyof Required<Args>]: Field };

/** Everything that is wrong with the inputs. What isn't known yet is taken on trust. */
export function checkFields(fields: Fields, inputs: Properties, prefix = ""): CheckFailure[] {
  const path = (name: string): string => (prefix === "" ? name : childPath(prefix, name));
  const unknown = Object.keys(inputs)
    .filter((name) => fields[name] === undefined)
    .map((name) => ({
      property: path(name),
      reason: `there is no input "${path(name)}"; there are ${Object.keys(fields).join(", ")}`,
    }));
  const wrong = Object.entries(fields).flatMap(([name, field]) => checkField(field, inputs[name] ?? null, path(name)));
  return [...unknown, ...wrong];
}

/** The inputs with the defaults of those that aren't given. */
export function withDefaults(fields: Fields, inputs: Properties): Properties {
  const given = Object.entries(inputs).filter(([, value]) => value !== null);
  const defaults = Object.entries(fields).flatMap(([name, field]): [string, Value][] =>
    field.default === undefined ? [] : [[name, field.default]],
  );
  return Object.fromEntries([...defaults, ...given]);
}

function checkField(field: Field, value: Value, path: string): CheckFailure[] {
  const failure = (reason: string): CheckFailure[] => [{ property: path, reason: `"${path}" ${reason}` }];
  if (value === null) {
    return field.required === true ? failure("is required") : [];
  }
  if (field.notImplemented === true) {
    return failure("is not implemented by this stand-in, only by the official plugin; see dev/plugins/README.md");
  }
  if (isUnknown(value)) {
    return [];
  }
  const known: Value = reveal(value);
  if (typeof field.type === "object") {
    return isProperties(known) ? checkFields(field.type, known, path) : failure("must be an object");
  }
  if (!hasType(known, field.type)) {
    // The value itself is not shown: it may be a secret.
    return failure(`must be ${TYPE_NAMES[field.type]}`);
  }
  if (field.min !== undefined && typeof known === "number" && known < field.min) {
    return failure(`must be at least ${String(field.min)}`);
  }
  const texts = Array.isArray(known) ? known : [known];
  const { oneOf } = field;
  return oneOf === undefined
    ? []
    : texts
        .filter((text) => typeof text === "string")
        .filter((text) => !oneOf.includes(text))
        .flatMap((text) => failure(`can't be "${text}"; it can be ${oneOf.join(", ")}`));
}

const TYPE_NAMES: Readonly<Record<Exclude<FieldType, Fields>, string>> = {
  string: "a string",
  boolean: "true or false",
  integer: "a whole number",
  strings: "a list of strings",
  map: "an object of strings",
};

function hasType(value: Value, type: Exclude<FieldType, Fields>): boolean {
  const isText = (element: Value): boolean => typeof element === "string" || isUnknown(element);
  switch (type) {
    case "string":
      return typeof value === "string";
    case "boolean":
      return typeof value === "boolean";
    case "integer":
      return Number.isSafeInteger(value);
    case "strings":
      return Array.isArray(value) && value.every(isText);
    case "map":
      return isProperties(value) && Object.values(value).every(isText);
  }
}
