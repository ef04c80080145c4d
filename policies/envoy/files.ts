import { CORE_SCHEMA, YAMLException, load } from "js-yaml";
import { Field, Unjudgeable } from "../judgement/field";
import { plainCopy } from "../judgement/plain";
import type { Plain } from "../judgement/plain";
import { Memo } from "./memo";

/** Characters of files that are kept parsed: those of some 250 sidecars. */
const KEPT = 16 * 1024 * 1024;

/** Several rules read the same file, and the stack rule reads all of them again. */
const parsed = new Memo<Plain>(KEPT, (text) => plainCopy(load(text, { schema: CORE_SCHEMA })));

/**
 * The YAML in one entry of a ConfigMap, as a field whose path goes on from the entry's. The core schema has no merge keys, as Envoy's parser has none;
 * duplicate keys and several documents are refused.
 *
 * @throws Unjudgeable where it is unknown at preview or not well-formed. The message holds nothing of the text.
 */
export function parseYaml(entry: Field): Field {
  const text = entry.text() ?? "";
  try {
    return new Field(parsed.of(text), entry.path);
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    throw new Unjudgeable(
      entry.path,
      `is not well-formed YAML (${error.reason})`,
      "render it with envoy/, which writes what Envoy and this pack both read",
    );
  }
}

/**
 * The JSON text in a field, as a field whose path goes on from its own.
 *
 * @throws Unjudgeable where it is unknown at preview or no JSON. The message holds nothing of the text.
 */
export function parseJson(entry: Field): Field {
  const text = entry.text() ?? "";
  try {
    return new Field(plainCopy(JSON.parse(text)), entry.path);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new Unjudgeable(entry.path, "is no JSON", "render it with envoy/");
  }
}
