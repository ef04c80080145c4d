import { setTimeout as sleep } from "node:timers/promises";

import type { OperationContext } from "../../protocol/provider";
import { isNotFound } from "../api-error";
import type { Reachable } from "../connection";
import { kindOfObject } from "../kinds";
import { type KubeObject, listAt, nameOf, textAt, uidOf } from "../objects";
import { NotReady, skipsAwait, timeoutOf } from "./ready";

/** Milliseconds between looks: the first, and the longest. */
const FIRST_LOOK = 100;
const LONGEST_BREAK = 1_000;

/** Kinds for which `pulumi.com/skipAwait` skips the wait for deletion too. */
const SKIPPABLE: ReadonlySet<string> = new Set([
  "/v1:Namespace",
  "/v1:Pod",
  "/v1:ReplicationController",
  "apps/v1:DaemonSet",
  "apps/v1:Deployment",
  "apps/v1:StatefulSet",
  "batch/v1:Job",
]);

/**
 * Waits until a deleted object is gone, or another one has taken its name. Throws {@link NotReady} when it is still there in the end,
 * with the finalizers that may keep it.
 *
 * @param deleted the object as the deletion left it
 */
export async function awaitGone(
  cluster: Reachable,
  inputs: KubeObject,
  deleted: KubeObject,
  path: string,
  context: OperationContext,
): Promise<void> {
  const { group, version, kind } = kindOfObject(deleted);
  if (skipsAwait(inputs) && SKIPPABLE.has(`${group}/${version}:${kind}`)) {
    return;
  }
  const uid = uidOf(deleted);
  const deadline = Date.now() + timeoutOf(inputs, context, 600) * 1000;
  let live = deleted;
  for (let pause = FIRST_LOOK; ; pause = Math.min(pause * 1.5, LONGEST_BREAK)) {
    try {
      live = await cluster.api.send({ method: "GET", path });
    } catch (error) {
      if (isNotFound(error)) {
        return;
      }
      throw error;
    }
    if (uid !== "" && uidOf(live) !== uid) {
      return;
    }
    if (context.signal.aborted) {
      throw new NotReady(live, `Resource operation was cancelled for "${nameOf(live)}"`, []);
    }
    if (Date.now() >= deadline) {
      throw new NotReady(live, `'${nameOf(live)}' timed out waiting to be deleted`, whatHolds(live));
    }
    await sleep(pause, undefined, { signal: context.signal }).catch(() => undefined);
  }
}

function whatHolds(live: KubeObject): readonly string[] {
  const finalizers = listAt(live, "metadata", "finalizers").map(String);
  const conditions = listAt(live, "status", "conditions").flatMap((found) => {
    const message = textAt(found, "message");
    return textAt(found, "status") === "True" && message !== "" ? [message] : [];
  });
  return [
    ...(finalizers.length === 0 ? [] : [`finalizers might be preventing deletion (${finalizers.join(", ")})`]),
    ...conditions,
  ];
}
