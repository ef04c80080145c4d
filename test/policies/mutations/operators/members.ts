/** Operators on the elements of lists and the keys of maps. */
import { isList, isMap, isSame } from "../place";
import type { Operator } from "./operator";

/** One element or key less. */
export const drop: Operator = function* ({ path, value }) {
  if (isList(value)) {
    for (const index of value.keys()) yield { how: `of ${String(index)}`, path: [...path, index], value: undefined };
  }
  if (isMap(value)) {
    for (const key of Object.keys(value)) yield { how: `of ${key}`, path: [...path, key], value: undefined };
  }
};

/** One element or key more: one that nobody knows, everything, and what the same list of another object has. */
export const add: Operator = function* ({ path, value, others }) {
  if (isMap(value)) yield { how: "of a key", path: [...path, "nobodyKnowsIt"], value: true };
  if (!isList(value)) return;
  yield { how: "of everything", path, value: [...value, value.every((item) => typeof item === "string") ? "*" : {}] };
  const foreign = others.filter(isList).flat();
  const missing = foreign.filter(
    (item, index) =>
      !value.some((own) => isSame(own, item)) && foreign.findIndex((other) => isSame(other, item)) === index,
  );
  for (const item of missing.slice(0, 8)) yield { how: "of another object's", path, value: [...value, item] };
};

/** A key by another name. (A name that is a value is `widen`'s.) */
export const rename: Operator = function* ({ path, value }) {
  if (!isMap(value)) return;
  for (const key of Object.keys(value)) {
    const entries = Object.entries(value).map(([own, field]) => [own === key ? `${own}x` : own, field] as const);
    yield { how: `of ${key}`, path, value: Object.fromEntries(entries) };
  }
};

/** An element to the end of its list. */
export const move: Operator = function* ({ path, value }) {
  if (!isList(value)) return;
  for (const [index, item] of value.entries()) {
    // Before the last one it would be a swap.
    if (index + 2 < value.length)
      yield { how: `of ${String(index)} to the end`, path, value: [...value.toSpliced(index, 1), item] };
  }
};

/** An element twice. */
export const duplicate: Operator = function* ({ path, value }) {
  if (!isList(value)) return;
  for (const [index, item] of value.entries())
    yield { how: `of ${String(index)}`, path, value: value.toSpliced(index, 0, item) };
};
