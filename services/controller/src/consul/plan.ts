/** What to do so that the catalogue says what the cluster says. Pure: no clock, no network. */
import type { ZoneName } from "../../../../mesh/model.js";
import type { Actual } from "../registry/registry.js";
import type { Registration } from "../registry/registration.js";
import { entryOf, META, podOf, type CatalogueCheck, type CatalogueEntry, type CatalogueService } from "./entry.js";

/** One write to the catalogue. All of them may be repeated without harm. */
export type Action =
  | { readonly kind: "register"; readonly node: string; readonly registration: Registration }
  /** Takes the node away with all that is registered on it. */
  | { readonly kind: "deregister"; readonly node: string }
  /** Something on a node of ours that we did not put there: it would be resolved, or hide what is right. */
  | { readonly kind: "remove-service"; readonly node: string; readonly id: string }
  | { readonly kind: "remove-check"; readonly node: string; readonly id: string };

/** Whether a catalogue entry was made by a controller for a pod of this zone. Nothing else is ever touched. */
export function isOurs(entry: CatalogueEntry, zone: ZoneName): boolean {
  return (
    entry.meta[META.controller] === "true" && entry.meta[META.zone] === zone && podOf(zone, entry.node) !== undefined
  );
}

/**
 * Compares one node, which must be ours or wanted, with what is desired of it.
 *
 * @returns removals of what is foreign before the registration
 */
export function planNode(node: string, desired: Registration | undefined, actual: Actual<CatalogueEntry>): Action[] {
  if (desired === undefined) {
    return actual === undefined ? [] : [{ kind: "deregister", node }];
  }
  const register: Action = { kind: "register", node, registration: desired };
  if (actual === undefined || actual === "unknown") {
    return [register];
  }
  const expected = entryOf(desired);
  const services = new Set(expected.services.map(({ id }) => id));
  const checks = new Set(expected.checks.map(({ id }) => id));
  const foreign: Action[] = [
    ...actual.services
      .filter(({ id }) => !services.has(id))
      .map(({ id }) => ({ kind: "remove-service" as const, node, id })),
    ...actual.checks
      // The checks of a removed service go with it.
      .filter(({ id, serviceId }) => !checks.has(id) && (serviceId === "" || services.has(serviceId)))
      .map(({ id }) => ({ kind: "remove-check" as const, node, id })),
  ];
  return isAsExpected(expected, actual) ? foreign : [...foreign, register];
}

/** Whether `actual` holds all that `expected` says; it may hold more. */
function isAsExpected(expected: CatalogueEntry, actual: CatalogueEntry): boolean {
  return (
    expected.address === actual.address &&
    Object.entries(expected.meta).every(([key, value]) => actual.meta[key] === value) &&
    expected.services.every((service) => actual.services.some((other) => sameService(service, other))) &&
    expected.checks.every((check) => actual.checks.some((other) => sameCheck(check, other)))
  );
}

function sameService(one: CatalogueService, other: CatalogueService): boolean {
  return (
    one.id === other.id &&
    one.service === other.service &&
    one.address === other.address &&
    one.port === other.port &&
    // Order means nothing to Consul's tags.
    JSON.stringify([...one.tags].sort()) === JSON.stringify([...other.tags].sort())
  );
}

function sameCheck(one: CatalogueCheck, other: CatalogueCheck): boolean {
  return one.id === other.id && one.status === other.status && one.serviceId === other.serviceId;
}
