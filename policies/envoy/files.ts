import { CORE_SCHEMA, YAMLException, load } from "js-yaml";
import { Field, Unjudgeable } from "../judgement/field";
import { plainCopy } from "../judgement/plain";

/**
 * The YAML in one entry of a ConfigMap, as a field whose path goes on from the entry's. The core schema has no merge keys, as Envoy's parser has none;
 * duplicate keys and several documents are refused.
 *
 * @throws Unjudgeable where it is unknown at preview or not well-formed. The message holds nothing of the text.
 */
export function parseYaml(entry: Field): Field {
  const text = entry.text() ?? "";
  try {
    return new Field(plainCopy(load(text, { schema: CORE_SCHEMA })), entry.path);
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    throw new Unjudgeable(
      entry.path,
      `is not well-formed YAML (${error.reason})`,
      "render it with envoy/, which writes what Envoy and this pack both read",
    );
  }
}
