/** What a plan holds at the layers that are proven. */
import type { Mesh, Service } from "../mesh";
import { LABELS, PART_OF } from "../mesh/wire";
import { Unjudgeable } from "../policies/judgement/field";
import type { Plain } from "../policies/judgement/plain";
import type { StackResource } from "../policies/judgement/rule";
import { KubeObject } from "../policies/kubernetes/object";
import { meshObjects, plannedCredentials, plannedObject, trustProvenance } from "../policies/reachability";
import type { Credentials, Provenance } from "../policies/reachability";

/** The mesh's Kubernetes objects in a plan, and what can't be read of it: one line each. */
export interface PlanReading {
  readonly objects: readonly Plain[];
  readonly problems: readonly string[];
  /** Whose roots a trust file will hold that only the update can know. */
  readonly provenance: Provenance;
  /** Who will have credentials of the discovery backends, as far as Kubernetes' objects don't say it. */
  readonly credentials: Credentials;
}

/**
 * Reads the mesh's objects out of a plan, with the pods that other stacks will bring to it.
 *
 * @param mesh whose plan it is
 */
export function readPlan(mesh: Mesh, resources: readonly StackResource[]): PlanReading {
  const problems: string[] = [];
  const planned = resources.flatMap((resource) => {
    try {
      return plannedObject(resource) ?? [];
    } catch (error) {
      if (!(error instanceof Unjudgeable)) throw error;
      problems.push(`${KubeObject.titleOf(resource)}: ${error.message}`);
      return [];
    }
  });
  const joined = mesh.services.filter(({ workload }) => workload.kind === "joined").map(expectedPod);
  return {
    objects: [...meshObjects(planned.map(({ object }) => object)), ...joined],
    problems,
    provenance: trustProvenance(planned, mesh.datacenters?.own),
    credentials: plannedCredentials(resources, planned),
  };
}

/** A pod as the mesh takes it that another stack brings: with whose account and labels is judged there, by the policy pack. */
function expectedPod({ name, namespace, zone }: Service): Plain {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: `${name}-joined`,
      namespace,
      labels: { [LABELS.name]: name, [LABELS.partOf]: PART_OF, [LABELS.zone]: zone, [LABELS.meshed]: "true" },
    },
    spec: { serviceAccountName: name, containers: [] },
  };
}
