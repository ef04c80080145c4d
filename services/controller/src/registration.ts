import { MAX_VERSION_NAME, versionTag } from "../../../mesh/names.js";
import { SIDECAR_PORTS } from "../../../mesh/wire.js";
import type { ZoneName } from "../../../mesh/model.js";

/** One instance of a service as it should stand in Consul's catalogue. */
export interface Registration {
  readonly zone: ZoneName;
  /** Name of the pod: the instance's id. */
  readonly pod: string;
  /** UID of the pod: tells a StatefulSet's pod from its predecessor of the same name. */
  readonly uid: string;
  readonly service: string;
  /** Pod IP. */
  readonly address: string;
  /** Empty where the pod names none. */
  readonly version: string;
  /** Decides the status of its check: only `passing` instances are resolved. */
  readonly ready: boolean;
}

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

/** The name of a version as the document declares it: a DNS label of its own. */
const VERSION_NAME = new RegExp(`^[a-z0-9]([a-z0-9-]{0,${String(MAX_VERSION_NAME - 2)}}[a-z0-9])?$`);

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
  const { zone, pod, uid, service, address, version, ready } = registration;
  const tags = [
    `zone=${zone}`,
    ...(version === "" ? [] : [`version=${version}`]),
    // The tag by which callers look up the instances of one version; `1.4.2` is no DNS label, and no version that a document declares.
    ...(VERSION_NAME.test(version) ? [versionTag(version)] : []),
    `instance=${pod}`,
  ];
  return {
    node: nodeName(zone, pod),
    address,
    meta: { [META.controller]: "true", [META.zone]: zone, [META.uid]: uid },
    services: [{ id: pod, service, address, port: SIDECAR_PORTS.inbound, tags }],
    checks: [
      { id: `${pod}:ready`, name: "Readiness of the pod", status: ready ? "passing" : "critical", serviceId: pod },
    ],
  };
}
