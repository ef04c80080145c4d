import { type KubeObject, numberAt, objectsAt, textAt } from "../objects";

/** The condition of a type in an object's status. */
export function condition(object: KubeObject, type: string): KubeObject | undefined {
  return objectsAt(object, "status", "conditions").find((candidate) => candidate.type === type);
}

/** Whether the condition is there and true. */
export function isTrue(object: KubeObject, type: string): boolean {
  return textAt(condition(object, type), "status") === "True";
}

/** A condition's `[Reason] message`; "" where it has neither. */
export function explain(found: KubeObject | undefined): string {
  const reason = textAt(found, "reason");
  const message = textAt(found, "message");
  return [reason === "" ? "" : `[${reason}]`, message].filter((part) => part !== "").join(" ");
}

/** Whether the controller has seen the object's present specification, so that its status speaks of it. */
export function isObserved(object: KubeObject): boolean {
  const generation = numberAt(object, "metadata", "generation");
  const observed = numberAt(object, "status", "observedGeneration");
  return generation === undefined || (observed !== undefined && observed >= generation);
}
