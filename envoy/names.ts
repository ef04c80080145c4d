import { INSPECTION_PORT_NAME } from "../mesh/wire";
import type { Edge, ZoneName } from "../mesh/model";

/** Names of the listeners that exist once; outbound and scrape listeners are named by {@link outboundName} and {@link scrapeName}. */
export const LISTENERS = {
  inbound: "inbound",
  dns: "dns",
  health: "health",
  inspection: "inspection",
  admin: "admin",
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

/** Filter chain (and stat prefix) of one port's callers from one zone: `inbound|<port>|<caller zone>`. */
export function inboundName(port: string, callerZone: ZoneName): string {
  return `inbound|${port}|${callerZone}`;
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
export function trustSecret(zone: ZoneName): string {
  return `trust/${zone}`;
}

/**
 * SNI of the inspection listener: `inspection.<caller zone>`. It does not name the service, because Prometheus' forward proxy knows only the
 * address of the pod it scrapes.
 */
export function inspectionServerName(callerZone: ZoneName): string {
  return `${INSPECTION_PORT_NAME}.${callerZone}`;
}
