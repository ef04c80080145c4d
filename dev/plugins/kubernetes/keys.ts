import { isProperties, type Properties, Secret, type Value } from "../protocol/values";

/**
 * Fields of a CustomResourceDefinition's schema whose names hold dashes: the SDK's types, and so inputs and outputs, write them with
 * underscores; the API has dashes.
 */
const DASHED: readonly string[] = [
  "x-kubernetes-embedded-resource",
  "x-kubernetes-int-or-string",
  "x-kubernetes-list-map-keys",
  "x-kubernetes-list-type",
  "x-kubernetes-map-type",
  "x-kubernetes-preserve-unknown-fields",
  "x-kubernetes-validations",
];

const TO_UNDERSCORES: ReadonlyMap<string, string> = new Map(DASHED.map((key) => [key, key.replaceAll("-", "_")]));
const TO_DASHES: ReadonlyMap<string, string> = new Map([...TO_UNDERSCORES].map(([dashed, other]) => [other, dashed]));

/** Names as the API has them. */
export function toApiNames(properties: Properties): Properties {
  return renameAll(properties, TO_DASHES);
}

/** Names as the SDK has them. */
export function toSdkNames(properties: Properties): Properties {
  return renameAll(properties, TO_UNDERSCORES);
}

function renameAll(properties: Properties, names: ReadonlyMap<string, string>): Properties {
  return Object.fromEntries(
    Object.entries(properties).map(([key, value]) => [names.get(key) ?? key, renameValue(value, names)]),
  );
}

function renameValue(value: Value, names: ReadonlyMap<string, string>): Value {
  if (value instanceof Secret) {
    return new Secret(renameValue(value.value, names));
  }
  if (Array.isArray(value)) {
    return value.map((element) => renameValue(element, names));
  }
  return isProperties(value) ? renameAll(value, names) : value;
}
