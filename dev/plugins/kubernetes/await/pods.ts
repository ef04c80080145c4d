import { type KubeObject, nameOf, namespaceOf, numberAt, objectAt, objectsAt, textAt } from "../objects";
import { condition, explain, isTrue } from "./conditions";

/** Why a pod isn't ready: one line for its conditions, one for each container that waits or ended. Empty for a ready pod. */
export function podProblems(pod: KubeObject): string[] {
  if (isTrue(pod, "Ready") || textAt(pod, "status", "phase") === "Succeeded") {
    return [];
  }
  const label = `[Pod ${namespaceOf(pod)}/${nameOf(pod)}]`;
  const failing = ["PodScheduled", "Initialized", "Ready"]
    .map((type) => condition(pod, type))
    .find((found) => found !== undefined && found.status !== "True" && textAt(found, "message") !== "");
  const containers = [
    // Native sidecars are init containers: they too can keep a pod from being ready.
    ...objectsAt(pod, "status", "initContainerStatuses"),
    ...objectsAt(pod, "status", "containerStatuses"),
  ].flatMap(containerProblems);
  const lines = [...(failing === undefined ? [] : [explain(failing)]), ...containers];
  return lines.map((line) => `${label}: ${line}`);
}

function containerProblems(status: KubeObject): string[] {
  const name = textAt(status, "name");
  const terminated = objectAt(status, "state", "terminated");
  const hasEnded = Object.keys(terminated).length > 0;
  // A container that did its work, or one that is ready, is no problem.
  if (status.ready === true || (hasEnded && numberAt(terminated, "exitCode") === 0)) {
    return [];
  }
  const waiting = objectAt(status, "state", "waiting");
  const reason = textAt(waiting, "reason");
  const lines: string[] = [];
  if (reason !== "" && reason !== "ContainerCreating" && reason !== "PodInitializing") {
    lines.push(`container ${name} waits: ${explain(waiting)}`);
  }
  if (hasEnded) {
    lines.push(`container ${name} ended with exit code ${exitCode(terminated)}: ${explain(terminated)}`);
  }
  const last = objectAt(status, "lastState", "terminated");
  if (Object.keys(last).length > 0) {
    lines.push(`container ${name} had ended before with exit code ${exitCode(last)}: ${explain(last)}`);
  }
  return lines;
}

function exitCode(terminated: KubeObject): string {
  return String(numberAt(terminated, "exitCode") ?? "unknown");
}
