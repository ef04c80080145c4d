import { meshObjects, readManifests } from "../../../policies/reachability";
import { Reachability, readMesh } from "../../../policies/reachability/envoy";
import type { Party } from "../../../policies/reachability/envoy";
import type { Service } from "../../../mesh";
import { liveObjects } from "./live-objects";

/**
 * The sidecars' layers of the proof, computed from what the cluster holds now.
 *
 * @throws Error where they can't be judged
 */
export async function computedSidecars(): Promise<Reachability> {
  const { sidecars, findings } = readMesh(meshObjects(readManifests(await liveObjects())));
  if (sidecars === undefined) throw new Error(`the sidecars can't be judged: ${JSON.stringify(findings)}`);
  return new Reachability(sidecars);
}

/** What the evaluator calls a service. */
export function sidecarOf({ zone, name }: Pick<Service, "zone" | "name">): Party {
  return `${zone}/${name}`;
}
