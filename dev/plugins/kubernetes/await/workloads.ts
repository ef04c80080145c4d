import { annotationOf, isOwnedBy, type KubeObject, nameOf, numberAt, objectsAt, textAt } from "../objects";
import { condition, explain, isObserved, isTrue } from "./conditions";
import { READY, readyUnless, type Verdict, waiting } from "./verdict";

const REVISION = "deployment.kubernetes.io/revision";

/** What a Deployment's readiness depends on besides itself. */
export interface DeploymentSurroundings {
  /** ReplicaSets of its namespace. */
  readonly replicaSets: readonly KubeObject[];
  /** Claims of its namespace. */
  readonly claims: readonly KubeObject[];
}

/**
 * A Deployment is ready when its controller has seen it, it is available, the ReplicaSet of its present revision has all its pods
 * ready, a rollout (any revision after the first) is complete, and the claims it mounts are bound.
 */
export function deploymentVerdict(deployment: KubeObject, { replicaSets, claims }: DeploymentSurroundings): Verdict {
  const revision = annotationOf(deployment, REVISION);
  if (!isObserved(deployment) || revision === "") {
    return waiting("the Deployment's controller has not acted on it yet");
  }
  const replicaSet = replicaSets.find(
    (candidate) => isOwnedBy(candidate, deployment) && annotationOf(candidate, REVISION) === revision,
  );
  const missing: string[] = unboundClaims(deployment, claims);
  if (!isTrue(deployment, "Available")) {
    missing.push(because("Minimum number of live Pods was not attained", condition(deployment, "Available")));
  }
  const progressing = condition(deployment, "Progressing");
  const isStuck = textAt(progressing, "status") === "False";
  if (isStuck || (revision !== "1" && textAt(progressing, "reason") !== "NewReplicaSetAvailable")) {
    missing.push(because("the rollout is not complete", progressing));
  }
  if (isTrue(deployment, "ReplicaFailure")) {
    missing.push(because("Pods can't be created", condition(deployment, "ReplicaFailure")));
  }
  const wanted = numberAt(replicaSet, "spec", "replicas") ?? 1;
  const ready = numberAt(replicaSet, "status", "readyReplicas") ?? 0;
  if (replicaSet === undefined || ready < wanted) {
    missing.push(`${String(ready)} of ${String(wanted)} Pods of the present revision are ready`);
  }
  return readyUnless(missing);
}

function because(what: string, found: KubeObject | undefined): string {
  const why = explain(found);
  return why === "" ? what : `${what}: ${why}`;
}

function unboundClaims(deployment: KubeObject, claims: readonly KubeObject[]): string[] {
  const mounted = new Set(
    objectsAt(deployment, "spec", "template", "spec", "volumes").map((volume) =>
      textAt(volume, "persistentVolumeClaim", "claimName"),
    ),
  );
  return claims
    .filter((claim) => mounted.has(nameOf(claim)) && textAt(claim, "status", "phase") !== "Bound")
    .map((claim) => `PersistentVolumeClaim ${nameOf(claim)} is ${textAt(claim, "status", "phase") || "not seen yet"}`);
}

/**
 * A StatefulSet is ready when its controller has seen it, all replicas are ready and of the present revision. With `OnDelete`, a
 * changed one waits for nobody to delete pods: that they are ready is enough.
 */
export function statefulSetVerdict(statefulSet: KubeObject): Verdict {
  if (!isObserved(statefulSet)) {
    return waiting("the StatefulSet's controller has not acted on it yet");
  }
  const wanted = numberAt(statefulSet, "spec", "replicas") ?? 0;
  const status = (field: string): number => numberAt(statefulSet, "status", field) ?? 0;
  const current = textAt(statefulSet, "status", "currentRevision");
  const update = textAt(statefulSet, "status", "updateRevision");
  const isFirst = (numberAt(statefulSet, "metadata", "generation") ?? 1) <= 1;
  const onDelete = !isFirst && textAt(statefulSet, "spec", "updateStrategy", "type") === "OnDelete";

  const missing: string[] = [];
  if (status("replicas") !== wanted || status("readyReplicas") !== wanted) {
    missing.push(`${String(status("readyReplicas"))} of ${String(wanted)} replicas are ready`);
  }
  if (!onDelete && status("currentReplicas") !== wanted) {
    missing.push(`${String(status("updatedReplicas"))} of ${String(wanted)} replicas are of the present revision`);
  }
  if (!onDelete && (current === "" || current !== update)) {
    missing.push(`the StatefulSet has not come from revision ${JSON.stringify(current)} to ${JSON.stringify(update)}`);
  }
  return readyUnless(missing);
}

/** A DaemonSet is ready when its controller has seen it and every node that should run a pod of the present revision has it available. */
export function daemonSetVerdict(daemonSet: KubeObject): Verdict {
  const desired = numberAt(daemonSet, "status", "desiredNumberScheduled");
  if (!isObserved(daemonSet) || desired === undefined) {
    return waiting("the DaemonSet's controller has not acted on it yet");
  }
  const stages: readonly (readonly [field: string, what: string])[] = [
    ["currentNumberScheduled", "are scheduled"],
    ["updatedNumberScheduled", "are of the present revision"],
    ["numberAvailable", "are available"],
    ["numberReady", "are ready"],
  ];
  const missing = stages.flatMap(([field, what]) => {
    const count = numberAt(daemonSet, "status", field) ?? 0;
    return count < desired ? [`${String(count)} of ${String(desired)} Pods ${what}`] : [];
  });
  return readyUnless(missing);
}

/** A Job is ready when it has completed; it has failed when it says so for its limits' sake. */
export function jobVerdict(job: KubeObject): Verdict {
  if (isTrue(job, "Failed")) {
    return { state: "failed", reasons: [explain(condition(job, "Failed")) || "the Job failed"] };
  }
  if (isTrue(job, "Complete") && textAt(job, "status", "startTime") !== "") {
    return READY;
  }
  const count = (field: string): string => String(numberAt(job, "status", field) ?? 0);
  return waiting(
    `the Job is not complete: ${count("active")} Pods active, ${count("succeeded")} succeeded, ${count("failed")} failed`,
  );
}

/** A Pod is ready when it is scheduled, initialized and ready, or has succeeded. */
export function podVerdict(pod: KubeObject): Verdict {
  const isReady = isTrue(pod, "Ready") || textAt(pod, "status", "phase") === "Succeeded";
  const missing = [
    ...(isTrue(pod, "PodScheduled") ? [] : ["the Pod is not scheduled"]),
    ...(isTrue(pod, "Initialized") ? [] : ["the Pod is not initialized"]),
    ...(isReady ? [] : ["the Pod is not ready"]),
  ];
  return readyUnless(missing);
}
