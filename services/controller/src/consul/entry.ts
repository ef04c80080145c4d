import { SIDECAR_PORTS } from "../../../../mesh/wire.js";
import type { ZoneName } from "../../../../mesh/model.js";
import { tagsOf, type Registration } from "../registry/registration.js";

/** A node of the catalogue with what is registered on it: the part that the controller writes and compares. */
export interface CatalogueEntry {
  readonly node: string;
  readonly address: string;
  readonly meta: Readonly<Record<string, string>>;
  readonly services: readonly CatalogueService[];
  readonly checks: readonly CatalogueCheck[];
}

export interface CatalogueService {
  readonly id: string;
  readonly service: string;
  readonly address: string;
  readonly port: number;
  readonly tags: readonly string[];
}

export interface CatalogueCheck {
  readonly id: string;
  readonly name: string;
  /** `passing`, `warning` or `critical`. */
  readonly status: string;
  /** Empty: a check of the node. */
  readonly serviceId: string;
}

/** Keys of the metadata of our nodes. */
export const META = { controller: "lucid-controller", zone: "lucid-zone", uid: "lucid-pod-uid" } as const;

/** Names of a zone's nodes begin with this; the zone's token may write these names and no others. */
export function nodePrefix(zone: ZoneName): string {
  return `lucid-${zone}-`;
}

/** Synthetic node of one pod. No agent lives there, so no agent's anti-entropy takes the registration away. */
export function nodeName(zone: ZoneName, pod: string): string {
  return `${nodePrefix(zone)}${pod}`;
}

/** The pod for which a node of `zone` was made; undefined for a node of another zone or maker. */
export function podOf(zone: ZoneName, node: string): string | undefined {
  const prefix = nodePrefix(zone);
  return node.startsWith(prefix) && node.length > prefix.length ? node.slice(prefix.length) : undefined;
}

/** The catalogue entry that stands for a registration. */
export function entryOf(registration: Registration): CatalogueEntry {
  const { zone, pod, uid, service, address, ready } = registration;
  return {
    node: nodeName(zone, pod),
    address,
    meta: { [META.controller]: "true", [META.zone]: zone, [META.uid]: uid },
    services: [{ id: pod, service, address, port: SIDECAR_PORTS.inbound, tags: tagsOf(registration) }],
    checks: [
      { id: `${pod}:ready`, name: "Readiness of the pod", status: ready ? "passing" : "critical", serviceId: pod },
    ],
  };
}
