/** Holds a plan against its document, before anything is made. */
import type { Mesh } from "../mesh";
import type { Plain } from "../policies/judgement/plain";
import type { Resource } from "../policies/judgement/rule";
import { networkLayer, prove, violationText } from "../policies/reachability";
import type { Layer } from "../policies/reachability";
import { networkDeclaration } from "./declaration/network";
import type { Surroundings as NetworkSurroundings } from "./declaration/network";
import { readPlan } from "./plan";

/** What of a stack's configuration decides who reaches whom. */
export interface Surroundings extends NetworkSurroundings {
  readonly nodeResolverIp: string;
  readonly consulIp: string;
}

/** The layers that are proven, each with what the document declares. A further one is one more entry. */
export function declaredLayers(mesh: Mesh, surroundings: Surroundings): readonly Layer[] {
  return [networkLayer(networkDeclaration(mesh, surroundings), networkSurroundings(surroundings))];
}

/** What the stack says of the cluster's own addresses. The pods' range is not its to say; no policy but the API server's names an address, and that is declared. */
export function networkSurroundings({ nodeResolverIp, consulIp }: Surroundings) {
  return { clusterAddresses: [`${nodeResolverIp}/32`, `${consulIp}/32`] };
}

/** What is wrong with the objects of a cluster or of files, one line each. None: they open exactly what the document declares. */
export function objectViolations(mesh: Mesh, surroundings: Surroundings, objects: readonly Plain[]): readonly string[] {
  return prove(objects, declaredLayers(mesh, surroundings)).map(violationText);
}

/** What is wrong with a plan, one line each. None: it opens exactly what the document declares. */
export function planViolations(
  mesh: Mesh,
  surroundings: Surroundings,
  resources: readonly Resource[],
): readonly string[] {
  const { objects, problems } = readPlan(mesh, resources);
  return [...problems, ...objectViolations(mesh, surroundings, objects)];
}
