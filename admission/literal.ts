/** The mesh's data as CEL literals. */
import type { NamedExpression } from "./model";

/** CEL takes no expression of more than 100,000 characters; one of half of it leaves room for the next entry. */
const SHARD_CHARACTERS = 50_000;

/** A list of strings, a string, a map of lists: JSON is CEL. */
export function literal(value: string | readonly string[]): string {
  return JSON.stringify(value);
}

/** A variable that holds a list of strings. */
export function list(name: string, values: readonly string[]): NamedExpression {
  return { name, expression: literal(values) };
}

/**
 * Variables that hold a map of any size: parts `<name>0`, `<name>1`, … of it, and the list of those, `<name>`. Keys and values are looked up by
 * {@link hasKey} and {@link hasEntry}.
 */
export function shards(name: string, map: ReadonlyMap<string, readonly string[]>): readonly NamedExpression[] {
  const parts: string[][] = [[]];
  let characters = 0;
  for (const [key, values] of map) {
    // CEL can't tell the type of an empty list from that of the others.
    if (values.length === 0) continue;
    const entry = `${literal(key)}:${literal(values)}`;
    if (characters > 0 && characters + entry.length > SHARD_CHARACTERS) {
      parts.push([]);
      characters = 0;
    }
    parts.at(-1)?.push(entry);
    characters += entry.length;
  }
  const variables = parts.map((entries, index) => ({
    name: `${name}${index}`,
    expression: entries.length === 0 ? '{"":[""]}' : `{${entries.join(",")}}`,
  }));
  return [...variables, { name, expression: `[${variables.map((part) => `variables.${part.name}`).join(",")}]` }];
}

/** CEL: whether a sharded map has a key. */
export function hasKey(name: string, key: string): string {
  return `variables.${name}.exists(shard, ${key} in shard)`;
}

/** CEL: whether a sharded map has a value under a key. */
export function hasEntry(name: string, key: string, value: string): string {
  return `variables.${name}.exists(shard, ${key} in shard && ${value} in shard[${key}])`;
}
