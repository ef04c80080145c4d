import type { Ceiling } from "../ceiling";
import { ceilingDeclaration, podAddresses } from "../ceiling-network";
import { Field } from "../judgement/field";
import { findingsIn } from "../judgement/rule";
import type { StackFinding, StackResource } from "../judgement/rule";
import { zoneOfNamespace } from "../kubernetes/object";
import { meshObjects, namespaceOf, networkLayer, plannedObject, prove } from "../reachability";
import type { Layer, PlannedObject, ProofViolation } from "../reachability";
import { grouped, objectTitle } from "../reachability/network";

type Leave = Pick<Ceiling, "members" | "infrastructure" | "externals" | "edges">;

/** The layers that are proven, each with the ceiling as what may be at most. */
function layersOf(ceiling: Leave, shown: ReadonlySet<string>): readonly Layer[] {
  return [networkLayer(ceilingDeclaration(ceiling, shown), { clusterAddresses: podAddresses(ceiling) })];
}

/**
 * Nobody reaches anybody beyond the ceiling, computed from all objects of the plan together. Each policy's peers are judged by `network-policy-zone-isolation`
 * as well; this shares no code with it, and sees what policies, pods and namespaces do together.
 *
 * Of a zone that the plan does not govern it shows too little to tell: there `governed-zones` lets in nothing that could open a way.
 */
export function beyondCeiling(resources: readonly StackResource[], ceiling: Leave): StackFinding[] {
  const planned: PlannedObject<StackResource>[] = [];
  const unreadable = resources.flatMap((resource) =>
    findingsIn(resource, () => {
      const object = plannedObject(resource);
      if (object !== undefined) planned.push(object);
    }),
  );
  const namespaces = new Set(
    planned.flatMap(({ object }) => (isNamespace(object) ? (namespaceOf(new Field(object)) ?? []) : [])),
  );
  const shown = new Set([...namespaces].flatMap((name) => zoneOfNamespace(name, ceiling) ?? []));
  if (shown.size === 0) return unreadable;

  const ofMesh = new Set(meshObjects(planned.map(({ object }) => object)));
  const judged = planned.filter(({ object }) => {
    const namespace = namespaceOf(new Field(object));
    return ofMesh.has(object) && (namespace === undefined || namespaces.has(namespace));
  });
  const byTitle = grouped(judged, ({ object }) => objectTitle(new Field(object)));
  const fallback = judged.filter(({ object }) => isNamespace(object)).slice(0, 1);
  const violations = prove(
    judged.map(({ object }) => object),
    layersOf(ceiling, shown),
  );
  return [...unreadable, ...violations.flatMap((violation) => findingsOf(violation, byTitle, fallback))];
}

function isNamespace(object: PlannedObject["object"]): boolean {
  return new Field(object).at("kind").is("Namespace");
}

/** A violation as a finding in the first object that has a part in it; in each of its name, where two bear one. */
function findingsOf(
  { layer, problem, mend, places }: ProofViolation,
  byTitle: ReadonlyMap<string, readonly PlannedObject<StackResource>[]>,
  fallback: readonly PlannedObject<StackResource>[],
): StackFinding[] {
  const place = places.find(({ object }) => byTitle.has(object));
  const found = place === undefined ? fallback : (byTitle.get(place.object) ?? fallback);
  return found.map(({ resource }) => ({ resource, path: place?.path ?? "", problem: `${layer}: ${problem}`, mend }));
}
