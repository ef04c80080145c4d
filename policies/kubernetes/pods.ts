import type { Field } from "../judgement/field";
import type { KubeObject } from "./object";
import { isKind } from "./object";

/** Kinds that make pods. */
const TEMPLATE_PATHS: Readonly<Record<string, readonly string[]>> = {
  Pod: [],
  PodTemplate: ["template"],
  Deployment: ["spec", "template"],
  StatefulSet: ["spec", "template"],
  DaemonSet: ["spec", "template"],
  ReplicaSet: ["spec", "template"],
  ReplicationController: ["spec", "template"],
  Job: ["spec", "template"],
  CronJob: ["spec", "jobTemplate", "spec", "template"],
};

/** What a workload makes pods from. */
export interface PodTemplate {
  readonly metadata: Field;
  readonly spec: Field;
}

export type ContainerKind = "initContainers" | "containers" | "ephemeralContainers";

export interface Container {
  readonly kind: ContainerKind;
  readonly index: number;
  readonly field: Field;
}

/** Whether objects of this type make pods. */
export function makesPods(type: string): boolean {
  return isKind(type, ...Object.keys(TEMPLATE_PATHS));
}

/** Whether the pods of an object run to completion. */
export function runsToCompletion({ groupKind }: KubeObject): boolean {
  return groupKind === "batch/Job" || groupKind === "batch/CronJob";
}

/** The pod template of an object; none for an object that makes no pods. */
export function podTemplates(object: KubeObject): PodTemplate[] {
  const path = TEMPLATE_PATHS[object.kind];
  if (path === undefined) return [];
  const template = object.body.at(...path);
  return [{ metadata: template.at("metadata"), spec: template.at("spec") }];
}

/** Every container of a pod in the order in which they start: init containers (sidecars among them), containers, ephemeral ones. @throws Unjudgeable */
export function allContainers(podSpec: Field): Container[] {
  return (["initContainers", "containers", "ephemeralContainers"] as const).flatMap((kind) =>
    podSpec
      .at(kind)
      .items()
      .map((field, index) => ({ kind, index, field })),
  );
}

/** The user a container runs as: its own setting, else the pod's. */
export function effectiveUser(podSpec: Field, container: Field): Field {
  return inherited(podSpec, container, "runAsUser");
}

/** A setting of `securityContext` that a container may take from its pod. */
export function inherited(podSpec: Field, container: Field, key: string): Field {
  const own = container.at("securityContext", key);
  return own.isAbsent ? podSpec.at("securityContext", key) : own;
}

/** The volume of a pod by its name. @throws Unjudgeable */
export function volumeNamed(podSpec: Field, name: string): Field | undefined {
  return podSpec
    .at("volumes")
    .items()
    .find((volume) => volume.at("name").is(name));
}
