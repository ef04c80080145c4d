import type { Field } from "../judgement/field";
import { UNKNOWN } from "../judgement/plain";
import type { Plain } from "../judgement/plain";
import { digestOf } from "./digest";

/** How an object's values may stand in its declaration, where they don't stand there themselves. */
export interface Standing {
  /** Whether a value may be left open, or told by its digest. */
  readonly mayStand: boolean;
  /** Whether its values are files, which are told by their digests. */
  readonly isFiles: boolean;
  /** The digest of the file by which sidecars trust a zone, as it was declared. */
  readonly trustDigest: (zone: string) => Field;
}

/** The first place at which what is told isn't what is made, `""` for the whole; undefined where it is. */
export function difference(told: Plain, made: Plain, standing: Standing, place = ""): string | undefined {
  const stands = standsFor(told, made, standing);
  if (stands !== undefined) return stands ? undefined : place;
  if (made === UNKNOWN || told === UNKNOWN) return place;
  if (Array.isArray(told) && Array.isArray(made)) {
    const [one, other] = [told as readonly Plain[], made as readonly Plain[]];
    if (one.length !== other.length) return place;
    return firstOf(one, (item, index) =>
      difference(item, other[index] ?? null, standing, `${place}[${String(index)}]`),
    );
  }
  if (isMap(told) && isMap(made)) {
    const names = [...new Set([...Object.keys(told), ...Object.keys(made)])];
    return firstOf(names, (name) =>
      difference(valueOf(told, name), valueOf(made, name), standing, place === "" ? name : `${place}.${name}`),
    );
  }
  return told === made ? undefined : place;
}

/** Whether a map of one entry stands for the value; undefined where it stands for itself. */
function standsFor(told: Plain, made: Plain, { mayStand, isFiles, trustDigest }: Standing): boolean | undefined {
  if (!isMap(told)) return undefined;
  const [[word, meant] = ["", null], ...others] = Object.entries(told);
  if (others.length > 0 || !["$any", "$digest", "$trust"].includes(word)) return undefined;
  if (!mayStand || made === null) return false;
  if (word === "$any") return meant === true;
  if (!isFiles || typeof meant !== "string") return false;
  if (word === "$digest") return typeof made === "string" && meant === digestOf(made);
  const digest = trustDigest(meant);
  if (digest.isAbsent) return false;
  return made === UNKNOWN || digest.isUnknown || (typeof made === "string" && digest.is(digestOf(made)));
}

function firstOf<T>(items: readonly T[], find: (item: T, index: number) => string | undefined): string | undefined {
  for (const [index, item] of items.entries()) {
    const found = find(item, index);
    if (found !== undefined) return found;
  }
  return undefined;
}

interface PlainMap {
  readonly [key: string]: Plain;
}

function isMap(value: Plain): value is PlainMap {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Null where it is absent, as the API server has it. */
function valueOf(map: PlainMap, name: string): Plain {
  return Object.hasOwn(map, name) ? (map[name] ?? null) : null;
}
