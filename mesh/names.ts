/** Names that objects of the mesh bear, each computed in one place. */
import type { PeerZone, Zone, ZoneName } from "./model";
import { DISCOVERY_DOMAIN, VERSION_TAG_PREFIX } from "./wire";

/** Suffix of every name in the mesh. */
export const DOMAIN = "lucid.internal";

/** Longest service name, so that every name made from it stays a DNS label of 63 characters. */
export const MAX_SERVICE_NAME = 40;

/** Longest name of a version, so that the names made from it and its service's stay short enough. */
export const MAX_VERSION_NAME = 15;

/** `lucid-<zone>`: the zone's namespace. */
export function namespaceOf(zone: ZoneName): string {
  return `lucid-${zone}`;
}

/** `<zone>.<datacenter>`: how a zone of another datacenter is named where one of this one's is `<zone>`. */
export function peerZone(zone: ZoneName, datacenter: string): PeerZone {
  return `${zone}.${datacenter}`;
}

/** `<zone>.lucid.internal`, or `<zone>.<datacenter>.lucid.internal` where there are several: the zone's SPIFFE trust domain (SPIFFE-ID, section 2.1). */
export function trustDomainOf(zone: PeerZone, datacenter?: string): string {
  return datacenter === undefined ? `${zone}.${DOMAIN}` : `${zone}.${datacenter}.${DOMAIN}`;
}

/** `spiffe://<trust domain>/ns/lucid-<zone>/sa/<service>`: a service's identity. */
export function identityOf(service: string, zone: ZoneName, datacenter?: string): string {
  return `spiffe://${trustDomainOf(zone, datacenter)}/ns/${namespaceOf(zone)}/sa/${service}`;
}

/** The same by the zone itself, as it is in its datacenter. */
export function identityIn(
  { trustDomain, namespace }: Pick<Zone, "trustDomain" | "namespace">,
  service: string,
): string {
  return `spiffe://${trustDomain}/ns/${namespace}/sa/${service}`;
}

/** `<service>.lucid.internal`: what applications dial, and the certificate's common name. */
export function hostnameOf(service: string): string {
  return `${service}.${DOMAIN}`;
}

/**
 * `<service>.service.discovery.lucid.internal`, or `<service>.service.<datacenter>.discovery.lucid.internal` where there are several: what Envoy resolves.
 *
 * @see https://developer.hashicorp.com/consul/docs/services/discovery/dns-static-lookups#standard-lookup
 */
export function discoveryNameOf(service: string, datacenter?: string): string {
  return datacenter === undefined
    ? `${service}.service.${DISCOVERY_DOMAIN}`
    : `${service}.service.${datacenter}.${DISCOVERY_DOMAIN}`;
}

/** Tag of a version's instances in discovery: `v-<version>`. */
export function versionTag(version: string): string {
  return `${VERSION_TAG_PREFIX}${version}`;
}

/** `v-<version>.<service>.service.discovery.lucid.internal`: the passing instances of one version, by the name of all of them. */
export function versionDiscoveryName(discoveryName: string, version: string): string {
  return `${versionTag(version)}.${discoveryName}`;
}

/** `<service>-<version>`: the workload of one version of a service. */
export function versionWorkloadName(service: string, version: string): string {
  return `${service}-${version}`;
}

/** Names of the Kubernetes objects of one service, all in its zone's namespace. */
export interface ObjectNames {
  readonly serviceAccount: string;
  /** Deployment or StatefulSet. */
  readonly workload: string;
  /** ConfigMap with the sidecar's files. */
  readonly envoy: string;
  /** ConfigMap with the roots of its peers' zones. */
  readonly trust: string;
  /** Secret with its certificate and key. */
  readonly certificate: string;
  readonly networkPolicy: string;
  readonly disruptionBudget: string;
}

/** Names of the Kubernetes objects of a service. */
export function objectNames(service: string): ObjectNames {
  return {
    serviceAccount: service,
    workload: service,
    envoy: `${service}-envoy`,
    trust: `${service}-trust`,
    certificate: `${service}-tls`,
    networkPolicy: service,
    disruptionBudget: service,
  };
}
