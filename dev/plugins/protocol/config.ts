import { type Properties, reveal, type Value } from "./values";

/**
 * A provider's configuration (the arguments of `new tls.Provider(…)` and its like), always wholly known: the engine doesn't
 * configure a provider of which a part is yet unknown.
 *
 * SDKs send anything that is not a string as JSON text (`"true"`, `"{…}"`); the getters here take either form.
 */
export class ConfigValues {
  constructor(readonly properties: Properties) {}

  /** The value as it was sent, secrets taken off; `undefined` where absent or null. */
  get(key: string): Value | undefined {
    const value = this.properties[key];
    return value === undefined || value === null ? undefined : reveal(value);
  }

  /** A text, or `undefined`; the empty text counts as not given, as environment variables have it. */
  string(key: string): string | undefined {
    const value = this.get(key);
    if (value === undefined || value === "") {
      return undefined;
    }
    if (typeof value !== "string") {
      throw new Error(`provider configuration "${key}" must be a string`);
    }
    return value;
  }

  /** A truth value, sent as such or as the text `true` or `false`. */
  boolean(key: string): boolean | undefined {
    const value = this.get(key);
    switch (value) {
      case undefined:
      case "":
        return undefined;
      case true:
      case "true":
        return true;
      case false:
      case "false":
        return false;
      default:
        throw new Error(`provider configuration "${key}" must be true or false`);
    }
  }

  /** A list or an object, sent as such or as JSON text. */
  json(key: string): Value | undefined {
    const value = this.get(key);
    if (typeof value !== "string" || value === "") {
      return value === "" ? undefined : value;
    }
    try {
      return JSON.parse(value) as Value;
    } catch {
      throw new Error(`provider configuration "${key}" is not valid JSON`);
    }
  }
}
