import { CORE_SCHEMA, dump, load } from "js-yaml";
import type { Message } from "./message";

/** YAML text with keys in the order they were written, no anchors and no folded lines: the same message is always the same text. */
export function toYaml(message: Message): string {
  return dump(message, { noRefs: true, lineWidth: -1 });
}

/** Reads back what {@link toYaml} wrote. */
export function fromYaml(text: string): Message {
  const value: unknown = load(text, { schema: CORE_SCHEMA });
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new TypeError("an Envoy file must hold one mapping at its top level");
  }
  return value as Message;
}
