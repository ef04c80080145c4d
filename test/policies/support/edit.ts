/** A JSON value, as a resource's properties hold it. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

/**
 * A copy of `object` in which the field at `path` (`spec.containers[0].image`, `labels["a/b"]`) is `value`, or is gone where `value` is undefined. A
 * path that leads nowhere is an error, so that a test can't change nothing.
 */
export function edit<T extends Json>(object: T, path: string, value: Json | undefined): T {
  const copy = structuredClone(object);
  const steps = [...path.matchAll(/\["([^"]+)"\]|\[(\d+)\]|([^.[\]]+)/g)].map(
    (match) => match[1] ?? match[2] ?? match[3] ?? "",
  );
  const last = steps.pop();
  if (last === undefined) throw new Error("the path is empty");
  let place: Json = copy;
  for (const step of steps) {
    const next: Json | undefined = child(place, step);
    if (next === undefined || next === null) throw new Error(`${path}: nothing at ${step}`);
    place = next;
  }
  if (Array.isArray(place)) {
    if (value === undefined) place.splice(Number(last), 1);
    else place[Number(last)] = value;
  } else if (typeof place === "object" && place !== null) {
    if (value === undefined) {
      if (!(last in place)) throw new Error(`${path}: nothing there to remove`);
      Reflect.deleteProperty(place, last);
    } else {
      place[last] = value;
    }
  } else {
    throw new Error(`${path}: nothing at ${last}`);
  }
  return copy;
}

function child(place: Json, step: string): Json | undefined {
  if (Array.isArray(place)) return place[Number(step)];
  return typeof place === "object" && place !== null ? place[step] : undefined;
}
