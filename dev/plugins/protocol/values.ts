/**
 * Property values as the engine and a provider exchange them, as plain JavaScript: null, booleans, numbers, strings, arrays and
 * objects, with one marker class for each thing that JSON has no word for.
 */

/** A value that is known only after the deployment; appears in previews, and in nothing that is stored. */
export class Unknown {
  // A private member makes the class nominal: to the compiler, no other object can pass for it.
  readonly #text = "<unknown>";

  /** For messages: never the empty string, so that a value not yet known is seen as one. */
  toString(): string {
    return this.#text;
  }
}

/** The one instance of {@link Unknown}; compare with `instanceof Unknown` or {@link isUnknown}. */
export const UNKNOWN: Unknown = new Unknown();

/** A value that the engine stores encrypted and shows as `[secret]`. */
export class Secret {
  readonly value: Value;

  constructor(value: Value) {
    // A secret of a secret is a secret: the engine refuses nested ones.
    this.value = value instanceof Secret ? value.value : value;
  }

  /** Never the value: a secret that lands in a message by mistake must not be read there. */
  toString(): string {
    return "[secret]";
  }

  toJSON(): string {
    return "[secret]";
  }
}

/** A file's content handed over as text, path or address; exactly one of these three is set. */
export class Asset {
  constructor(readonly fields: Readonly<Record<string, Value>>) {}
}

/** Several assets under names, or an archive file. */
export class Archive {
  constructor(readonly fields: Readonly<Record<string, Value>>) {}
}

/** A reference to another resource of the stack. */
export class ResourceReference {
  constructor(
    readonly urn: string,
    readonly id: Value | undefined,
    readonly packageVersion: string,
  ) {}
}

/** One property value. A property that is absent is absent from its object; there is no `undefined` inside a value. */
export type Value =
  null | boolean | number | string | Unknown | Secret | Asset | Archive | ResourceReference | Value[] | Properties;

/** Properties by name. */
export interface Properties {
  [key: string]: Value;
}

/** Whether this very value is unknown (behind a secret too); a list or object with an unknown inside is not. */
export function isUnknown(value: Value | undefined): boolean {
  return value instanceof Unknown || (value instanceof Secret && value.value instanceof Unknown);
}

/** Whether the value is a plain object of properties: no marker, no list. */
export function isProperties(value: Value | undefined): value is Properties {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Unknown) &&
    !(value instanceof Secret) &&
    !(value instanceof Asset) &&
    !(value instanceof Archive) &&
    !(value instanceof ResourceReference)
  );
}

/** Whether an unknown lies anywhere in the value. */
export function containsUnknowns(value: Value | undefined): boolean {
  return someValue(value, (part) => part instanceof Unknown);
}

/** Whether a secret lies anywhere in the value. */
export function containsSecrets(value: Value | undefined): boolean {
  return someValue(value, (part) => part instanceof Secret);
}

function someValue(value: Value | undefined, test: (part: Value) => boolean): boolean {
  if (value === undefined) {
    return false;
  }
  if (test(value)) {
    return true;
  }
  if (value instanceof Secret) {
    return someValue(value.value, test);
  }
  if (Array.isArray(value)) {
    return value.some((element) => someValue(element, test));
  }
  return isProperties(value) && Object.values(value).some((element) => someValue(element, test));
}

/** The value with every secret taken off, at every depth: what an implementation computes with. */
export function reveal<T extends Value>(value: T): Exclude<T, Secret>;
export function reveal(value: Value): Value {
  if (value instanceof Secret) {
    return reveal(value.value);
  }
  if (Array.isArray(value)) {
    return value.map((element): Value => reveal(element));
  }
  if (isProperties(value)) {
    return mapProperties(value, (element): Value => reveal(element));
  }
  return value;
}

/** The properties with each value replaced. */
export function mapProperties(properties: Properties, change: (value: Value, key: string) => Value): Properties {
  return Object.fromEntries(Object.entries(properties).map(([key, value]) => [key, change(value, key)]));
}

/**
 * `outputs` with these marked as secret: every property named in `always`, and every one whose input of the same name was or
 * contained a secret. That is what official providers do, so that a secret argument is no clear text in the state.
 */
export function markSecrets(outputs: Properties, inputs: Properties, always: readonly string[] = []): Properties {
  return mapProperties(outputs, (value, key) => {
    const secret = always.includes(key) || containsSecrets(inputs[key]);
    return secret && value !== null ? new Secret(reveal(value)) : value;
  });
}

/** Whether two values are the same; a secret equals its own clear value, an unknown equals nothing but an unknown. */
export function sameValue(left: Value | undefined, right: Value | undefined): boolean {
  const a = left instanceof Secret ? left.value : left;
  const b = right instanceof Secret ? right.value : right;
  if (a === b) {
    return true;
  }
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((element, index) => sameValue(element, b[index]));
  }
  if (isProperties(a) && isProperties(b)) {
    const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
    return [...keys].every((key) => sameValue(a[key], b[key]));
  }
  if (a instanceof Unknown && b instanceof Unknown) {
    return true;
  }
  if ((a instanceof Asset && b instanceof Asset) || (a instanceof Archive && b instanceof Archive)) {
    return sameValue({ ...a.fields }, { ...b.fields });
  }
  if (a instanceof ResourceReference && b instanceof ResourceReference) {
    return a.urn === b.urn && sameValue(a.id, b.id);
  }
  return false;
}
