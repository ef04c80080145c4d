import type { Ceiling } from "../ceiling";
import type { KubeObject } from "./object";
import { NAME_LABEL, VERSION_LABEL } from "./object";
import type { PodTemplate } from "./pods";

/**
 * `<zone>/<service>` of a pod template in a zone's namespace, by its ServiceAccount: that is what its certificate and its rights are bound to.
 * Undefined outside the zones. That labels and names agree with it is checked by `members-only`.
 *
 * @throws Unjudgeable where it can't be known.
 */
export function partyOf(
  object: KubeObject,
  template: PodTemplate,
  ceiling: Pick<Ceiling, "members">,
): string | undefined {
  const zone = object.zone(ceiling);
  const account = template.spec.at("serviceAccountName").text();
  return zone === undefined || account === undefined ? undefined : `${zone}/${account}`;
}

/** How the workloads of a service may be named. */
export const WORKLOAD_NAMES =
  "the name of its service, `<service>-<version>`, or on a Job `<service>-<10 hexadecimal digits>`";

/**
 * Whether a workload bears the name of its service: that alone, or with the version that its pods are labelled with; or, as each run of a Job is an object of
 * its own, with a digest.
 */
export function isNamedFor(object: KubeObject, template: PodTemplate, service: string): boolean {
  const { name = "", groupKind } = object;
  if (name === service) return true;
  if (!name.startsWith(`${service}-`)) return false;
  const suffix = name.slice(service.length + 1);
  const version = template.metadata.at("labels", VERSION_LABEL).text();
  return suffix === version || (groupKind === "batch/Job" && /^[0-9a-f]{10}$/.test(suffix));
}

/**
 * Whether a pod runs without a sidecar by the ceiling's leave. All that names it must say so: a pod that merely borrows the ServiceAccount of an
 * exempt workload is not exempt.
 */
export function isInfrastructure(
  object: KubeObject,
  template: PodTemplate,
  ceiling: Pick<Ceiling, "members" | "infrastructure">,
): boolean {
  const party = partyOf(object, template, ceiling);
  if (party === undefined || !Object.hasOwn(ceiling.infrastructure, party)) return false;
  const service = party.slice(party.indexOf("/") + 1);
  return object.name === service && template.metadata.at("labels", NAME_LABEL).is(service);
}
