/** Holds a plan against its document, before anything is made. */
import type { Mesh } from "../mesh";
import type { Plain } from "../policies/judgement/plain";
import type { StackResource } from "../policies/judgement/rule";
import {
  Evidence,
  networkLayer,
  prove,
  registrationLayer,
  sidecarLayers,
  violationText,
} from "../policies/reachability";
import type { Credentials, Layer, Provenance } from "../policies/reachability";
import { registrationDeclarations } from "./declaration/registration";
import { networkDeclaration } from "./declaration/network";
import type { Surroundings as NetworkSurroundings } from "./declaration/network";
import { sidecarDeclaration } from "./declaration/sidecars";
import type { SidecarSurroundings } from "./declaration/sidecars";
import { readPlan } from "./plan";

/** What of a stack's configuration decides who reaches whom. */
export interface Surroundings extends NetworkSurroundings, SidecarSurroundings {
  /** The datacenter, where there are several. */
  readonly datacenter?: string | undefined;
  readonly consulIp?: string | undefined;
  readonly etcdIp?: string | undefined;
}

/** The layers that are proven, each with what the document declares. A further one is one more entry. */
function declaredLayers(mesh: Mesh, surroundings: Surroundings): readonly Layer[] {
  return [...callLayers(mesh, surroundings), registrationLayer(registrationDeclarations(mesh, surroundings))];
}

/** The layers of calls, which Kubernetes' objects alone decide: what may be registered, Consul decides by objects of its own. */
export function callLayers(mesh: Mesh, surroundings: Surroundings): readonly Layer[] {
  return [networkLayer(networkDeclaration(mesh, surroundings)), sidecarLayers(sidecarDeclaration(mesh, surroundings))];
}

/**
 * Objects with what the stack says besides: the cluster's own addresses. The pods' range is not its to say; no policy but the API server's names an address,
 * and that is declared.
 *
 * @param known what the objects don't say: whose roots a file will hold that isn't known yet, and who has which credentials; nothing is known of it unless said
 */
export function evidenceOf(
  {
    nodeResolverIp,
    consulIp,
    etcdIp,
    datacenter,
  }: Pick<Surroundings, "nodeResolverIp" | "consulIp" | "etcdIp" | "datacenter">,
  objects: readonly Plain[],
  known: { readonly provenance?: Provenance; readonly credentials?: Credentials } = {},
): Evidence {
  const clusterAddresses = [nodeResolverIp, consulIp, etcdIp].flatMap((ip) => (ip === undefined ? [] : [`${ip}/32`]));
  return new Evidence(objects, { clusterAddresses, datacenter, ...known });
}

/** What is wrong with the objects of a plan, of a cluster or of files, one line each. None: they open exactly what the document declares. */
export function evidenceViolations(mesh: Mesh, surroundings: Surroundings, evidence: Evidence): readonly string[] {
  return prove(evidence, declaredLayers(mesh, surroundings)).map(violationText);
}

/** What is wrong with a plan, one line each. None: it opens exactly what the document declares. */
export function planViolations(
  mesh: Mesh,
  surroundings: Surroundings,
  resources: readonly StackResource[],
): readonly string[] {
  const { objects, problems, ...known } = readPlan(mesh, resources);
  return [...problems, ...evidenceViolations(mesh, surroundings, evidenceOf(surroundings, objects, known))];
}
