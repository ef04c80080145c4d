import { LABELS, namespaceOf } from "../../../mesh";
import type { Mesh, Service } from "../../../mesh";
import { SHARED_PART, zonesOfPart } from "../../../components/parts/part";
import type { Settings } from "../../../components/stack/settings";
import { UNKNOWN } from "../../../policies/judgement/plain";
import type { Plain } from "../../../policies/judgement/plain";
import { ZONE_NAMESPACE, plannedObject } from "../../../policies/reachability";
import type { RehearsedResource } from "../../../proof/rehearsal/resource";
import { rehearsedAs } from "../../rehearsed";
import type { KubeObject } from "../cluster/objects";

/** An object that the program would make; what is known during the update alone stands in it as unknown. */
export type PlannedObject = KubeObject & { readonly [key: string]: Plain };

/** What a stack declares, and what its program would make. */
export class Declared {
  private rehearsed: Promise<readonly RehearsedResource[]> | undefined;

  constructor(
    readonly mesh: Mesh,
    readonly settings: Settings,
  ) {}

  /** All that the program would register. It takes seconds, once. */
  resources(): Promise<readonly RehearsedResource[]> {
    return (this.rehearsed ??= rehearsedAs(this));
  }

  /** The Kubernetes objects among it, of one kind where one is named. */
  async objects(kind?: string): Promise<readonly PlannedObject[]> {
    const planned = (await this.resources()).flatMap((resource) => plannedObject(resource)?.object ?? []);
    return planned.map(asObject).filter((object) => kind === undefined || object.kind === kind);
  }

  /** Those that this stack itself makes, where it deploys a part of the mesh; otherwise all. */
  async own(kind?: string): Promise<readonly PlannedObject[]> {
    const zones = zonesOfPart(this.settings.part);
    const namespaces = zones.map(namespaceOf);
    const isShared = (namespace: string) => !namespace.startsWith(ZONE_NAMESPACE) && zones.includes(SHARED_PART);
    return (await this.objects(kind)).filter(({ kind, metadata }) => {
      const namespace = (kind === "Namespace" ? metadata.name : metadata.namespace) ?? "";
      return namespaces.includes(namespace) || isShared(namespace);
    });
  }

  /** Services with pods that run all the time: this stack's own, or another's. */
  get running(): readonly Service[] {
    return this.mesh.services.filter(({ workload, revoked }) => workload.kind !== "job" && revoked === undefined);
  }
}

/** Every object that the mesh makes bears its name where it is made. */
function asObject(object: Plain): PlannedObject {
  const name = typeof object === "object" && object !== null && "metadata" in object ? object.metadata : undefined;
  if (typeof name !== "object" || name === null || !("name" in name) || typeof name.name !== "string")
    throw new TypeError("an object of the plan has no name");
  return object as PlannedObject;
}

/** The service whose object it is, by its label. */
export function serviceOf({ metadata }: Pick<KubeObject, "metadata">): string | undefined {
  return metadata.labels?.[LABELS.name];
}

export { UNKNOWN };
