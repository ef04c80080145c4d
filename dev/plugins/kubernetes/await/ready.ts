import { setTimeout as sleep } from "node:timers/promises";

import type { Reachable } from "../connection";
import { ANNOTATIONS } from "../naming";
import { annotationOf, kindOf, type KubeObject, nameOf } from "../objects";
import type { OperationContext } from "../../protocol/provider";
import { type Evaluate, kindToAwait } from "./evaluators";
import { containerProblemsOf, problemsAround } from "./related";
import { parseWaitFor } from "./wait-for";

/** An object that is there, but not as it should be. */
export class NotReady extends Error {
  constructor(
    /** The object as it was last seen. */
    readonly object: KubeObject,
    message: string,
    /** What is missing, and why. */
    readonly reasons: readonly string[],
  ) {
    super(message);
    this.name = "NotReady";
  }
}

/** Milliseconds between looks: the first, and the longest. */
const FIRST_LOOK = 100;
const LONGEST_BREAK = 1_000;

/** Milliseconds between lines that say what is holding an object up. */
const REPORT_EVERY = 15_000;

/** Seconds that an operation on the object may take. */
export function timeoutOf(inputs: KubeObject, context: OperationContext, fallback: number): number {
  const annotated = Number.parseInt(annotationOf(inputs, ANNOTATIONS.timeoutSeconds), 10);
  return context.timeoutSeconds > 0 ? context.timeoutSeconds : Number.isNaN(annotated) ? fallback : annotated;
}

export function skipsAwait(inputs: KubeObject): boolean {
  return annotationOf(inputs, ANNOTATIONS.skipAwait) === "true";
}

/** What {@link awaitReady} waits for. */
export interface Awaited {
  readonly inputs: KubeObject;
  /** The object as the change left it. */
  readonly object: KubeObject;
  readonly path: string;
  readonly isUpdate: boolean;
  readonly context: OperationContext;
}

/**
 * Waits until an object is ready as its kind has it, or as its annotations ask; answers it as it is then. Throws {@link NotReady} when
 * time is up, when it can't get ready any more, or when the run is cancelled.
 */
export async function awaitReady(cluster: Reachable, awaited: Awaited): Promise<KubeObject> {
  const { inputs, object, context } = awaited;
  if (skipsAwait(inputs)) {
    return object;
  }
  const kind = kindToAwait(object);
  const waitFor = annotationOf(object, ANNOTATIONS.waitFor);
  if (waitFor !== "") {
    return await poll(cluster, awaited, parseWaitFor(waitFor), timeoutOf(inputs, context, 600));
  }
  if (kind === undefined) {
    return object;
  }
  const evaluate = kind.evaluator(cluster, { isUpdate: awaited.isUpdate, settled: false });
  return await poll(cluster, awaited, evaluate, timeoutOf(inputs, context, kind.timeout));
}

async function poll(cluster: Reachable, awaited: Awaited, evaluate: Evaluate, seconds: number): Promise<KubeObject> {
  const { context } = awaited;
  const name = nameOf(awaited.object);
  const deadline = Date.now() + seconds * 1000;
  const report = reporter(cluster, context);
  let live = awaited.object;
  let verdict = await evaluate(live);
  for (let pause = FIRST_LOOK; verdict.state === "waiting"; pause = Math.min(pause * 1.5, LONGEST_BREAK)) {
    if (context.signal.aborted) {
      throw new NotReady(live, `Resource operation was cancelled for "${name}"`, verdict.reasons);
    }
    if (Date.now() >= deadline) {
      const around = await problemsAround(cluster, live);
      throw new NotReady(live, `'${name}' timed out waiting to be Ready`, [...verdict.reasons, ...around]);
    }
    await sleep(pause, undefined, { signal: context.signal }).catch(() => undefined);
    live = await cluster.api.send({ method: "GET", path: awaited.path });
    verdict = await evaluate(live);
    await report(live);
  }
  if (verdict.state === "failed") {
    const around = await problemsAround(cluster, live);
    throw new NotReady(live, `Resource '${name}' was created but failed to initialize`, [
      ...verdict.reasons,
      ...around,
    ]);
  }
  return live;
}

/** Says from time to time what containers wait for, each thing once. */
function reporter(cluster: Reachable, context: OperationContext): (live: KubeObject) => Promise<void> {
  let last = Date.now();
  const said = new Set<string>();
  return async (live) => {
    if (Date.now() - last < REPORT_EVERY) {
      return;
    }
    last = Date.now();
    for (const problem of await containerProblemsOf(cluster, live)) {
      if (!said.has(problem)) {
        said.add(problem);
        context.log("warning", problem);
      }
    }
  };
}

/** Why an object isn't ready, as a refresh reports it; empty for one that is. */
export async function unreadiness(
  cluster: Reachable,
  inputs: KubeObject,
  live: KubeObject,
): Promise<readonly string[]> {
  const kind = skipsAwait(inputs) ? undefined : kindToAwait(live);
  if (kind === undefined || !READ_AWAITED.has(kindOf(live))) {
    return [];
  }
  const verdict = await kind.evaluator(cluster, { isUpdate: true, settled: true })(live);
  return verdict.state === "ready" ? [] : [...verdict.reasons, ...(await problemsAround(cluster, live))];
}

/** Kinds whose readiness a refresh looks at. */
const READ_AWAITED: ReadonlySet<string> = new Set(["DaemonSet", "Deployment", "Job", "Pod", "Service", "StatefulSet"]);
