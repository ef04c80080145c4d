import { isProperties, type Value } from "../protocol/values";
import type { KubeObject } from "./objects";

/**
 * The live object cut to the shape of the inputs that made it: fields that the cluster filled in are no differences. Lists are cut
 * by position, as the official provider does it.
 */
export function prune(live: KubeObject, shape: KubeObject): KubeObject {
  return Object.fromEntries(
    Object.entries(live).flatMap(([key, value]): [string, Value][] => {
      const target = shape[key];
      return Object.hasOwn(shape, key) && target !== undefined ? [[key, pruneValue(value, target)]] : [];
    }),
  );
}

function pruneValue(live: Value, shape: Value): Value {
  if (isProperties(live) && isProperties(shape)) {
    return prune(live, shape);
  }
  return Array.isArray(live) && Array.isArray(shape) ? pruneList(live, shape) : live;
}

function pruneList(live: readonly Value[], shape: readonly Value[]): Value[] {
  return live.slice(0, shape.length).map((element, index) => {
    const target = shape[index];
    return target === undefined ? element : pruneValue(element, target);
  });
}

/**
 * The inputs as a refresh found them, with those put back that the API server had dropped when they were applied (`false` or an empty
 * list, where that is the default): the object lacked them then and lacks them now, so nobody has changed anything.
 *
 * @param found the live object in the shape of `inputs`
 * @param applied the object as it was after the last change
 */
export function withDropped(found: KubeObject, inputs: KubeObject, applied: KubeObject): KubeObject {
  const kept = Object.entries(inputs).map(([key, value]): [string, Value | undefined] => {
    // The API's null is the same as nothing.
    const now = found[key] ?? undefined;
    const then = applied[key] ?? undefined;
    return [key, now === undefined ? (then === undefined ? value : undefined) : withDroppedValue(now, value, then)];
  });
  return Object.fromEntries(kept.filter((entry): entry is [string, Value] => entry[1] !== undefined));
}

function withDroppedValue(found: Value, input: Value, applied: Value | undefined): Value {
  if (isProperties(found) && isProperties(input) && isProperties(applied)) {
    return withDropped(found, input, applied);
  }
  if (Array.isArray(found) && Array.isArray(input) && Array.isArray(applied)) {
    return found.map((element, index) => {
      const then = input[index];
      return then === undefined ? element : withDroppedValue(element, then, applied[index]);
    });
  }
  return found;
}
