import type { EdgeLeave } from "../ceiling";
import { ceilingDeclaration, podAddresses } from "../ceiling/network";
import { sidecarBound } from "../ceiling/sidecars";
import { Field } from "../judgement/field";
import type { StackFinding, StackResource } from "../judgement/rule";
import { zoneOfNamespace } from "../kubernetes/object";
import {
  Evidence,
  agreementLayer,
  boundedSidecarLayers,
  meshObjects,
  namespaceOf,
  networkLayer,
  prove,
  trustProvenance,
} from "../reachability";
import type { Layer, PlannedObject } from "../reachability";
import { grouped, objectTitle } from "../reachability/network";
import { findingsOf, readPlanned } from "./plan-findings";

/** The layers that are proven, each with the ceiling as what may be at most. */
function layersOf(ceiling: EdgeLeave, shown: ReadonlySet<string>): readonly Layer[] {
  return [
    networkLayer(ceilingDeclaration(ceiling, shown)),
    boundedSidecarLayers(sidecarBound(ceiling)),
    agreementLayer,
  ];
}

/**
 * Nobody reaches anybody beyond the ceiling, computed from all objects of the plan together. Each policy's peers are judged by `network-policy-zone-isolation`,
 * each sidecar's files by `envoy-listeners-mtls` and its like as well; this sees what all of them do together.
 *
 * Of a zone that the plan does not govern it shows too little to tell: there `governed-zones` lets in nothing that could open a way.
 */
export function beyondCeiling(resources: readonly StackResource[], ceiling: EdgeLeave): StackFinding[] {
  const { planned, unreadable } = readPlanned(resources);
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
  const fallback = judged.flatMap(({ resource, object }) => (isNamespace(object) ? resource : [])).slice(0, 1);
  const evidence = new Evidence(
    judged.map(({ object }) => object),
    {
      clusterAddresses: podAddresses(ceiling),
      datacenter: ceiling.datacenter?.name,
      provenance: trustProvenance(judged, ceiling.datacenter?.name),
    },
  );
  const violations = prove(evidence, layersOf(ceiling, shown));
  return [...unreadable, ...violations.flatMap((violation) => findingsOf(violation, byTitle, fallback))];
}

function isNamespace(object: PlannedObject["object"]): boolean {
  return new Field(object).at("kind").is("Namespace");
}
