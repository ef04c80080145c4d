import { findingsIn } from "../judgement/rule";
import type { StackFinding, StackResource } from "../judgement/rule";
import { plannedObject } from "../reachability";
import type { LayerViolation, PlannedObject } from "../reachability";

/** The Kubernetes objects of a plan, each with its resource. */
export interface PlannedObjects {
  readonly planned: readonly PlannedObject<StackResource>[];
  /** Resources that should be objects and can't be read. */
  readonly unreadable: StackFinding[];
}

/** Reads the objects that a plan would make. */
export function readPlanned(resources: readonly StackResource[]): PlannedObjects {
  const planned: PlannedObject<StackResource>[] = [];
  const unreadable = resources.flatMap((resource) =>
    findingsIn(resource, () => {
      const object = plannedObject(resource);
      if (object !== undefined) planned.push(object);
    }),
  );
  return { planned, unreadable };
}

/**
 * A violation as a finding in the first object that has a part in it; in each of its name, where two bear one.
 *
 * @param byTitle the resources by the titles that the proof gives their objects
 * @param fallback what a violation is told of that is of none of them in particular
 */
export function findingsOf(
  { layer, problem, mend, places }: LayerViolation,
  byTitle: ReadonlyMap<string, readonly { readonly resource: StackResource }[]>,
  fallback: readonly StackResource[],
): StackFinding[] {
  const place = places.find(({ object }) => byTitle.has(object));
  const found = place === undefined ? fallback : (byTitle.get(place.object) ?? []).map(({ resource }) => resource);
  return found.map((resource) => ({ resource, path: place?.path ?? "", problem: `${layer}: ${problem}`, mend }));
}
