import type { Reachable } from "../connection";
import { isNotFound } from "../api-error";
import { resourcePath } from "../discovery";
import { type KubeObject, namespaceOf, objectAt, objectsAt, textAt, uidOf } from "../objects";
import { podProblems } from "./pods";

/** Warnings of events that a report repeats at most. */
const MAX_EVENTS = 5;

/** Objects of a built-in kind in the namespace of `object`, where they carry the labels that `object` selects by. */
export async function listSelected(
  cluster: Reachable,
  object: KubeObject,
  base: string,
  plural: string,
): Promise<readonly KubeObject[]> {
  const labels = Object.entries(objectAt(object, "spec", "selector", "matchLabels"));
  return await list(cluster, base, plural, namespaceOf(object), {
    labelSelector: labels.map(([key, value]) => `${key}=${typeof value === "string" ? value : ""}`).join(","),
  });
}

/** Objects of a built-in kind in a namespace. */
export async function list(
  cluster: Reachable,
  base: string,
  plural: string,
  namespace: string,
  query: Readonly<Record<string, string>> = {},
): Promise<readonly KubeObject[]> {
  const path = resourcePath({ base, plural, namespaced: true }, namespace);
  return objectsAt(await cluster.api.send({ method: "GET", path, query }), "items");
}

/** An object of a built-in kind; `undefined` where there is none. */
export async function get(
  cluster: Reachable,
  base: string,
  plural: string,
  namespace: string | undefined,
  name: string,
): Promise<KubeObject | undefined> {
  const path = resourcePath({ base, plural, namespaced: namespace !== undefined }, namespace ?? "", name);
  try {
    return await cluster.api.send({ method: "GET", path });
  } catch (error) {
    if (isNotFound(error)) {
      return undefined;
    }
    throw error;
  }
}

/**
 * Why an object isn't ready, beyond what its own status says: what its pods' containers wait for or ended with, and the latest
 * warnings of events about it and them. Never throws: a report that can't be had must not hide the failure it is about.
 */
export async function problemsAround(cluster: Reachable, object: KubeObject): Promise<readonly string[]> {
  try {
    const pods = await podsOf(cluster, object);
    const events = await warnings(cluster, object, pods);
    return [...new Set([...pods.flatMap(podProblems), ...events])];
  } catch {
    return [];
  }
}

/** Problems of the object's containers alone. */
export async function containerProblemsOf(cluster: Reachable, object: KubeObject): Promise<readonly string[]> {
  try {
    const problems = (await podsOf(cluster, object)).flatMap(podProblems);
    return problems.filter((line) => line.includes(": container "));
  } catch {
    return [];
  }
}

async function podsOf(cluster: Reachable, object: KubeObject): Promise<readonly KubeObject[]> {
  if (object.kind === "Pod") {
    return [object];
  }
  const selects = Object.keys(objectAt(object, "spec", "selector", "matchLabels")).length > 0;
  return selects ? await listSelected(cluster, object, "/api/v1", "pods") : [];
}

async function warnings(
  cluster: Reachable,
  object: KubeObject,
  pods: readonly KubeObject[],
): Promise<readonly string[]> {
  const namespace = namespaceOf(object);
  if (namespace === "") {
    return [];
  }
  const uids = new Set([object, ...pods].map(uidOf));
  const events = await list(cluster, "/api/v1", "events", namespace, { fieldSelector: "type=Warning" });
  const lines = events
    .filter((event) => uids.has(textAt(event, "involvedObject", "uid")))
    .sort((a, b) => textAt(a, "lastTimestamp").localeCompare(textAt(b, "lastTimestamp")))
    .map(
      (event) =>
        `[${textAt(event, "involvedObject", "kind")} ${textAt(event, "involvedObject", "name")}] ` +
        `${textAt(event, "reason")}: ${textAt(event, "message")}`,
    );
  return [...new Set(lines)].slice(-MAX_EVENTS);
}
