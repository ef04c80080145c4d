/** Places in documents: where something stands, what it is called, and what stands there in documents of the same kind. */
import type { Plain } from "../../../policies/judgement/plain";

export type Path = readonly (number | string)[];
export type PlainMap = { readonly [key: string]: Plain };
export type PlainList = readonly Plain[];

/** One place of a document. */
export interface Place {
  readonly path: Path;
  readonly value: Plain;
  /** `spec.containers[app].image`. */
  readonly title: string;
  /** The same with the names of services and zones left out: what the same place of another object is called. */
  readonly general: string;
  /** What stands there in documents of the same kind, where it is something else. */
  readonly others: readonly Plain[];
}

/** Leaves the names of the mesh's services and zones out of a text. */
export type Generalize = (text: string) => string;

/** Every place of a document, the document itself first. */
export function* placesOf(document: Plain, others: readonly Plain[], generalize: Generalize): Generator<Place> {
  yield* below({ path: [], value: document, title: "", general: "", others }, generalize);
}

function* below(place: Place, generalize: Generalize): Generator<Place> {
  yield { ...place, others: distinct(place.others, place.value) };
  const { value, path, title, general, others } = place;
  if (isList(value)) {
    for (const [index, item] of value.entries()) {
      const name = nameOf(item);
      const found = others.map((other) => (isList(other) ? counterpart(other, name, index) : undefined));
      yield* below(
        {
          path: [...path, index],
          value: item,
          title: `${title}[${name ?? String(index)}]`,
          general: `${general}[${name === undefined ? "" : generalize(name)}]`,
          others: present(found),
        },
        generalize,
      );
    }
  } else if (isMap(value)) {
    for (const [key, field] of Object.entries(value)) {
      const found = others.map((other) => (isMap(other) ? other[key] : undefined));
      const [step, generalStep] = [stepOf(key), stepOf(generalize(key))];
      const [to, generalTo] = [join(title, step), join(general, generalStep)];
      yield* below(
        { path: [...path, key], value: field, title: to, general: generalTo, others: present(found) },
        generalize,
      );
    }
  }
}

/** A copy of a document with something else at a place; nothing there where it is undefined. What lies beside the way there is shared. */
export function replaced(document: Plain, path: Path, value: Plain | undefined): Plain {
  const [step, ...rest] = path;
  if (step === undefined) return value ?? null;
  if (isList(document)) {
    const index = Number(step);
    if (rest.length === 0 && value === undefined) return document.filter((_, at) => at !== index);
    return document.map((item, at) => (at === index ? replaced(item, rest, value) : item));
  }
  if (!isMap(document)) throw new TypeError(`nothing lies below ${String(step)}`);
  const entries = Object.entries(document);
  if (rest.length === 0 && value === undefined) return Object.fromEntries(entries.filter(([key]) => key !== step));
  if (!Object.hasOwn(document, step)) return Object.fromEntries([...entries, [step, value ?? null]]);
  return Object.fromEntries(entries.map(([key, field]) => [key, key === step ? replaced(field, rest, value) : field]));
}

export function isList(value: Plain | undefined): value is PlainList {
  return Array.isArray(value);
}

export function isMap(value: Plain | undefined): value is PlainMap {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isSame(one: Plain, other: Plain): boolean {
  return one === other || (typeof one === "object" && JSON.stringify(one) === JSON.stringify(other));
}

/** What an element of a list is known by; undefined for one that is known by its place alone. */
export function nameOf(item: Plain): string | undefined {
  if (!isMap(item)) return undefined;
  const name = item.name ?? item.key ?? item.mountPath ?? item.job_name;
  if (typeof name === "string") return name;
  // A rule of a NetworkPolicy is known by its ports.
  if (isList(item.ports)) return item.ports.map((port) => (isMap(port) ? JSON.stringify(port.port) : "")).join("+");
  return undefined;
}

function counterpart(list: PlainList, name: string | undefined, index: number): Plain | undefined {
  return name === undefined ? list[index] : list.find((item) => nameOf(item) === name);
}

function present(values: readonly (Plain | undefined)[]): Plain[] {
  return values.filter((value) => value !== undefined);
}

function distinct(others: readonly Plain[], own: Plain): Plain[] {
  const seen = new Set<string>();
  return others.filter((other) => {
    const key = JSON.stringify(other);
    if (isSame(other, own) || seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

function stepOf(key: string): string {
  return /^[\w<>-]+$/.test(key) ? key : `["${key}"]`;
}

function join(path: string, step: string): string {
  return path === "" || step.startsWith("[") ? `${path}${step}` : `${path}.${step}`;
}
