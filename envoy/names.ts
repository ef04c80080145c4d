import { INSPECTION_PORT_NAME } from "../mesh/wire";
import type { Edge, PeerZone, ZoneName } from "../mesh/model";

/** Names of the listeners that exist once; outbound and scrape listeners are named by {@link outboundName} and {@link scrapeName}. */
export const LISTENERS = {
  inbound: "inbound",
  dns: "dns",
  health: "health",
  inspection: "inspection",
  admin: "admin",
  departure: "departure",
} as const;

/** Cluster that reaches this Envoy's own admin interface through its Unix socket. */
export const ADMIN_CLUSTER = "admin";
/** Cluster of a health port that none of the service's HTTP ports is. */
export const HEALTH_CLUSTER = "application|health";
/** Cluster of a metrics port that none of the service's HTTP ports is; longer than a port's name may be, so that it is never one's. */
export const METRICS_CLUSTER = "application|metrics-endpoint";
/** SDS resource name of the sidecar's own certificate and key. */
export const LEAF_SECRET = "leaf";
/** SDS resource name of the sidecar's own identity token. */
export const TOKEN_SECRET = "token";
/** Name of the filter that checks callers' tokens, and of its configuration in the file of extensions (ECDS). */
export const TOKEN_CHECK = "identity-token";

/** Listener and cluster of an edge at the caller: `outbound|<callee>|<port>`. */
export function outboundName(edge: Pick<Edge, "to" | "port">): string {
  return `outbound|${edge.to}|${edge.port}`;
}

/** Cluster of an edge's callee in one of several datacenters that answer: `outbound|<callee>|<port>|<datacenter>`. */
export function answeringName(edge: Pick<Edge, "to" | "port">, datacenter: string): string {
  return `${outboundName(edge)}|${datacenter}`;
}

/** Filter chain (and stat prefix) of one port's callers from one zone: `inbound|<port>|<caller zone>`, of another datacenter `inbound|<port>|<caller zone>|<datacenter>`. */
export function inboundName(port: string, callerZone: PeerZone): string {
  // A dot would end the name in statistics.
  return `inbound|${port}|${callerZone.replace(".", "|")}`;
}

/** Cluster of the gateway of another datacenter, and filter chain of the calls that leave for it. */
export function linkName(datacenter: string): string {
  return `link|${datacenter}`;
}

/** Cluster of a service here, as a gateway passes calls on to it. */
export function arrivalName(service: string): string {
  return `arrival|${service}`;
}

/** Cluster of the application's own port: `application|<port>`. */
export function applicationName(port: string): string {
  return `application|${port}`;
}

/** Listener and cluster of Prometheus' forward proxy into a zone. */
export function scrapeName(zone: ZoneName): string {
  return `scrape|${zone}`;
}

/** SDS resource name of a zone's roots: `trust/<zone>`. */
export function trustSecret(zone: PeerZone): string {
  return `trust/${zone}`;
}

/**
 * SNI of the inspection listener: `inspection.<caller zone>`. It does not name the service, because Prometheus' forward proxy knows only the
 * address of the pod it scrapes.
 */
export function inspectionServerName(callerZone: ZoneName): string {
  return `${INSPECTION_PORT_NAME}.${callerZone}`;
}
