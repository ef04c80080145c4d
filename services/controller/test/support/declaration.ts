/** What a program writes down of the objects that it makes, as the API server sends it. */
import {
  DECLARATION,
  declarationParts,
  declaredKey,
  textDigest,
  writtenDown,
  type DeclaredObject,
} from "../../../../mesh/declarations/index.js";
import type { ApiObject } from "./objects.js";

/** One ConfigMap of a declaration. @param time when it was made; milliseconds since 1970. Default: it doesn't say */
export function declarationMap(
  what: string,
  name: string,
  data: Readonly<Record<string, string>>,
  time?: number,
): ApiObject {
  const made = time === undefined ? {} : { creationTimestamp: new Date(time).toISOString() };
  return { metadata: { name, labels: { [DECLARATION.label]: what }, ...made }, data };
}

/** What an update writes first. */
export function declaredMaps(objects: readonly DeclaredObject[], time?: number): ApiObject[] {
  return declarationParts(objects).map((data, index) =>
    declarationMap("objects", `${DECLARATION.prefix}${String(index)}`, data, time),
  );
}

/** What it writes last. */
export function doneMap(objects: readonly DeclaredObject[], time?: number): ApiObject {
  const digests = objects.map((object) => [declaredKey(object), textDigest(writtenDown(object))] as const);
  return declarationMap("done", DECLARATION.done, Object.fromEntries(digests), time);
}
