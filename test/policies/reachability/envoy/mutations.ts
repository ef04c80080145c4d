import type { Json, JsonObject } from "../../support/edit";

/** One change of a document, made in place and taken back. */
export interface Mutation {
  /** `drop listeners.yaml.resources[inbound].filter_chains[0].filters[0]`. */
  readonly title: string;
  /** What mutations of the same kind at the same kind of place have in common: list places are left out. */
  readonly kind: string;
  readonly apply: () => void;
  readonly revert: () => void;
}

/** Replacements of a text that mean something: other parties, other zones, everything. */
export type Replace = (text: string) => readonly string[];

/**
 * Every operator on every field of a document: drop, add (a field nobody knows), rename (of a key: to one nobody knows, and to what matches more), widen (of
 * a value), swap (with the next of a list), duplicate and move (to the end of a list).
 */
export function* mutationsOf(file: string, document: JsonObject, replace: Replace): Generator<Mutation> {
  yield* inside(document, file, file, replace);
}

const WIDER: Readonly<Record<string, string>> = { exact: "prefix", path: "prefix", principal_name: "any" };

function* inside(value: Json, path: string, kind: string, replace: Replace): Generator<Mutation> {
  if (Array.isArray(value)) {
    yield* ofList(value, path, kind);
    for (const [index, item] of value.entries()) {
      const name = nameOf(item);
      const [step, general] = [`${path}[${name ?? String(index)}]`, `${kind}[${name?.split("|")[0] ?? ""}]`];
      yield* inside(item, step, general, replace);
      yield* ofValue(value, index, step, general, replace);
    }
  } else if (typeof value === "object" && value !== null) {
    yield change(`add ${path}.nobody_knows_it`, `add ${kind}`, value, (copy) => {
      copy.nobody_knows_it = true;
    });
    for (const key of Object.keys(value)) {
      const [step, general] = [`${path}.${key}`, `${kind}.${key}`];
      yield change(`drop ${step}`, `drop ${general}`, value, (copy) => Reflect.deleteProperty(copy, key));
      for (const other of [`${key}_x`, ...(WIDER[key] === undefined ? [] : [WIDER[key]])]) {
        yield change(`rename ${step} to ${other}`, `rename to ${other.replace(key, "")} ${general}`, value, (copy) => {
          copy[other] = copy[key] ?? null;
          Reflect.deleteProperty(copy, key);
        });
      }
      yield* inside(value[key] ?? null, step, general, replace);
      yield* ofValue(value, key, step, general, replace);
    }
  }
}

function* ofList(list: Json[], path: string, kind: string): Generator<Mutation> {
  for (const [index, item] of list.entries()) {
    const name = `${path}[${nameOf(item) ?? String(index)}]`;
    const general = `${kind}[${nameOf(item)?.split("|")[0] ?? ""}]`;
    yield changeList(`drop ${name}`, `drop ${general}`, list, (copy) => copy.splice(index, 1));
    yield changeList(`duplicate ${name}`, `duplicate ${general}`, list, (copy) => copy.splice(index, 0, item));
    const next = list[index + 1];
    if (next === undefined || JSON.stringify(next) === JSON.stringify(item)) continue;
    yield changeList(`swap ${name} with the next`, `swap ${general}`, list, (copy) =>
      copy.splice(index, 2, next, item),
    );
    if (index + 2 < list.length) {
      yield changeList(`move ${name} to the end`, `move ${general}`, list, (copy) =>
        copy.push(...copy.splice(index, 1)),
      );
    }
  }
}

function* ofValue(
  container: Json[] | JsonObject,
  key: number | string,
  path: string,
  kind: string,
  replace: Replace,
): Generator<Mutation> {
  const before = (container as JsonObject)[key] ?? null;
  for (const after of othersOf(before, replace)) {
    const set = (value: Json) => {
      (container as JsonObject)[key] = value;
    };
    yield {
      title: `widen ${path} from ${JSON.stringify(before)} to ${JSON.stringify(after)}`,
      kind: `widen to ${shapeOf(before, after)} ${kind}`,
      apply: () => set(after),
      revert: () => set(before),
    };
  }
}

function othersOf(value: Json, replace: Replace): readonly Json[] {
  if (typeof value === "boolean") return [!value];
  if (typeof value === "number") return [value + 1, ...(value === 0 ? [] : [0])];
  if (typeof value === "string")
    return [...new Set(["", "*", `${value}x`, ...replace(value)])].filter((v) => v !== value);
  if (value === null) return [];
  return Array.isArray(value) ? (value.length === 0 ? [] : [[]]) : Object.keys(value).length === 0 ? [] : [{}];
}

function shapeOf(before: Json, after: Json): string {
  if (typeof after === "boolean") return String(after);
  if (typeof after === "number") return after === 0 ? "zero" : "more";
  if (typeof after !== "string") return "nothing";
  if (after === "") return "nothing";
  if (after === "*") return "everything";
  return typeof before === "string" && after === `${before}x` ? "another" : "a known one";
}

function nameOf(item: Json): string | undefined {
  if (typeof item !== "object" || item === null || Array.isArray(item)) return undefined;
  return typeof item.name === "string" ? item.name : undefined;
}

function change(title: string, kind: string, place: JsonObject, edit: (copy: JsonObject) => unknown): Mutation {
  const before = Object.entries(place);
  const put = (entries: readonly [string, Json][]) => {
    for (const key of Object.keys(place)) Reflect.deleteProperty(place, key);
    Object.assign(place, Object.fromEntries(entries));
  };
  return {
    title,
    kind,
    apply: () => {
      const copy = Object.fromEntries(before);
      edit(copy);
      put(Object.entries(copy));
    },
    revert: () => put(before),
  };
}

function changeList(title: string, kind: string, place: Json[], edit: (copy: Json[]) => unknown): Mutation {
  const before = [...place];
  return {
    title,
    kind,
    apply: () => {
      const copy = [...before];
      edit(copy);
      place.splice(0, place.length, ...copy);
    },
    revert: () => place.splice(0, place.length, ...before),
  };
}
