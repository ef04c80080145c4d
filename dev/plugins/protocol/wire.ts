import { Struct } from "google-protobuf/google/protobuf/struct_pb";

import {
  Archive,
  Asset,
  isProperties,
  type Properties,
  ResourceReference,
  Secret,
  UNKNOWN,
  Unknown,
  type Value,
} from "./values";

/**
 * How the markers of values.ts look on the wire: objects with a signature under a key that no other object has, and fixed
 * strings in the place of unknown values (`sdk/go/common/resource/plugin/rpc.go` and `.../resource/sig` of pulumi/pulumi).
 */
const SIGNATURE_KEY = "4dabf18193072939515e22adb298388d";
const SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270";
const ASSET_SIGNATURE = "c44067f5952c0a294b673a41bacd8c17";
const ARCHIVE_SIGNATURE = "0def7320c3a5731c473e5ecbe6d01bc7";
const RESOURCE_SIGNATURE = "5cf8f73096256a8f31e491e813e4eb8e";
const OUTPUT_SIGNATURE = "d0e6a833031e9bbcd3f4e8bde6ca49a4";

/** The engine has one string per type of the unknown value; the first, for strings, is what is sent. */
const UNKNOWN_STRING = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const UNKNOWN_VALUES: ReadonlySet<string> = new Set([
  UNKNOWN_STRING,
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7", // boolean
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421", // number
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2", // list
  "030794c1-ac77-496b-92df-f27374a8bd58", // asset
  "e48ece36-62e2-4504-bad9-02848725956a", // archive
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff", // object
]);

/** What a protobuf Struct holds, as JSON. */
export type WireValue = null | boolean | number | string | WireValue[] | WireObject;

/** @see WireValue */
export interface WireObject {
  [key: string]: WireValue;
}

/** Properties from the wire; an absent struct is no properties. */
export function fromWire(struct: Struct | undefined): Properties {
  return struct === undefined ? {} : decodeProperties(struct.toJavaScript());
}

/** Properties for the wire. */
export function toWire(properties: Properties): Struct {
  return Struct.fromJavaScript(encodeProperties(properties));
}

/** The markers put into plain JSON of the wire's form. Exported for its tests. */
export function decodeProperties(properties: WireObject): Properties {
  return Object.fromEntries(Object.entries(properties).map(([key, value]) => [key, decode(value)]));
}

/** Plain JSON of the wire's form, made from values with markers. Exported for its tests. */
export function encodeProperties(properties: Properties): WireObject {
  // Typed as complete, but an implementation's optional property may be present and undefined: the wire has no such thing.
  const present = Object.entries(properties as Record<string, Value | undefined>);
  return Object.fromEntries(present.flatMap(([key, value]) => (value === undefined ? [] : [[key, encode(value)]])));
}

function decode(value: WireValue): Value {
  if (typeof value === "string") {
    return UNKNOWN_VALUES.has(value) ? UNKNOWN : value;
  }
  if (typeof value !== "object" || value === null) {
    return value;
  }
  if (Array.isArray(value)) {
    return value.map(decode);
  }
  const signature = value[SIGNATURE_KEY];
  return typeof signature === "string" ? decodeMarked(signature, value) : decodeProperties(value);
}

function decodeMarked(signature: string, value: WireObject): Value {
  const fields = Object.fromEntries(Object.entries(value).filter(([key]) => key !== SIGNATURE_KEY));
  switch (signature) {
    case SECRET_SIGNATURE:
      return new Secret(decode(fields.value ?? null));
    case ASSET_SIGNATURE:
      return new Asset(decodeProperties(fields));
    case ARCHIVE_SIGNATURE:
      return new Archive(decodeProperties(fields));
    case RESOURCE_SIGNATURE:
      return new ResourceReference(
        typeof fields.urn === "string" ? fields.urn : "",
        fields.id === undefined ? undefined : decode(fields.id),
        typeof fields.packageVersion === "string" ? fields.packageVersion : "",
      );
    case OUTPUT_SIGNATURE: {
      // An output whose value is absent is one that isn't known yet.
      const inner = fields.value === undefined ? UNKNOWN : decode(fields.value);
      return fields.secret === true ? new Secret(inner) : inner;
    }
    default:
      throw new Error(`a property value carries the signature ${signature}, which this provider does not know`);
  }
}

function encode(value: Value): WireValue {
  if (value instanceof Unknown) {
    return UNKNOWN_STRING;
  }
  if (value instanceof Secret) {
    return { [SIGNATURE_KEY]: SECRET_SIGNATURE, value: encode(value.value) };
  }
  if (value instanceof Asset) {
    return { [SIGNATURE_KEY]: ASSET_SIGNATURE, ...encodeProperties(value.fields) };
  }
  if (value instanceof Archive) {
    return { [SIGNATURE_KEY]: ARCHIVE_SIGNATURE, ...encodeProperties(value.fields) };
  }
  if (value instanceof ResourceReference) {
    return {
      [SIGNATURE_KEY]: RESOURCE_SIGNATURE,
      urn: value.urn,
      ...(value.id === undefined ? {} : { id: encode(value.id) }),
      ...(value.packageVersion === "" ? {} : { packageVersion: value.packageVersion }),
    };
  }
  if (Array.isArray(value)) {
    return value.map(encode);
  }
  return isProperties(value) ? encodeProperties(value) : value;
}
