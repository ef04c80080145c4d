import { DISCOVERY_TIMES } from "../mesh/drain";
import { answererOf, type OutgoingCall } from "../mesh/datacenters/calls";
import type { Edge, HealthCheck, Mesh, MetricsEndpoint, Service, ServicePort } from "../mesh/model";
import { NODE_RESOLVER, serverName, SIDECAR_PATHS, SIDECAR_PORTS } from "../mesh/wire";
import { externalCluster, externalOf } from "./external";
import { alpnOf, applicationOptions, isHttp, protocolOptions } from "./http";
import { presentToken } from "./identity/identity-token";
import { extension, socketAddress, type Message } from "./message";
import { applicationBreakers, circuitBreakers, orderedBreakers, outlierDetection } from "./traffic/limits";
import { ADMIN_CLUSTER, applicationName, HEALTH_CLUSTER, METRICS_CLUSTER, outboundName } from "./names";
import type { EnvoyOptions } from "./options";
import { clientTls, type Peers } from "./identity/tls";
import { versionedCluster } from "./traffic/versions";

/** Time to connect, TLS handshake included. */
export const CONNECT_TIMEOUT = "0.25s";

/** What of a cluster to another sidecar depends on where that is. */
export interface CalleeCluster {
  readonly name: string;
  readonly connectTimeout: string;
  /** Who is asked for: the callee itself, or the gateway by which its datacenter is reached. */
  readonly discoveryName: string;
  /** At which port of those pods. */
  readonly port: number;
  readonly peers: Peers;
  readonly serverName: string;
  /** Where it is one of several that are tried in an order, so that all of its instances may be left out: whether another one comes after it. Default: it is the only one. */
  readonly order?: "before another" | "last";
}

/** Of clusters, or priorities of one, that are tried in an order each is asked as long as any of its instances can be: a hundred of which one is left are still enough. */
const STRICT_ORDER: Message = { overprovisioning_factor: 10_000 };
/**
 * All instances may be left out, and the next are asked at once; by default Envoy keeps such changes back for up to a second. Once nobody is left in any of the clusters all of them
 * are asked again, wherever they are: a threshold of nothing would leave nobody to call until the first ejection ends, and who can answer by then is known to none.
 *
 * @see https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/panic_threshold
 */
const ANYBODY_AT_LAST: Message = { healthy_panic_threshold: { value: 1 }, update_merge_window: "0s" };

/**
 * After the last nobody is asked, so whom it left out for what he answered would be missed: it leaves out those alone whom it can't reach. They are gateways, too, by any of which
 * the same instances answer.
 */
const NOT_FOR_ANSWERS: Message = { enforcing_consecutive_gateway_failure: 0, enforcing_consecutive_5xx: 0 };

/** A plain connection that is tried again may meet the same instance again, for as long as that isn't left out: so it is at once where others come after it. */
const AT_ONCE: Message = { consecutive_local_origin_failure: 1 };

/** The callee of an edge, here: its instances as the node resolver tells them, always at port 15001, by mutual TLS with the callee's exact identity. */
export function outboundCluster(
  mesh: Mesh,
  caller: Service,
  edge: Edge,
  options: EnvoyOptions,
  several?: Pick<CalleeCluster, "name" | "order">,
): Message {
  const { service: callee, port } = calleeOf(mesh, { edge });
  return calleeCluster(
    callee,
    edge,
    port,
    {
      name: outboundName(edge),
      ...several,
      connectTimeout: CONNECT_TIMEOUT,
      discoveryName: callee.discoveryName,
      port: SIDECAR_PORTS.inbound,
      peers: { zone: callee.zone, identities: { exact: [callee.identity] } },
      serverName: serverName(port.name, callee.name, caller.zone),
    },
    options,
  );
}

/**
 * A cluster by which calls reach another sidecar.
 *
 * @see https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/clusters/dns/v3/dns_cluster.proto
 */
export function calleeCluster(
  callee: Service,
  edge: Edge,
  port: ServicePort,
  { name, connectTimeout, discoveryName, port: dialled, peers, serverName: sni, order }: CalleeCluster,
  options: EnvoyOptions,
): Message {
  const address = (asked: string) => ({ endpoint: { address: socketAddress(asked, dialled) } });
  const versions = versionedCluster(callee, address);
  return {
    name,
    connect_timeout: connectTimeout,
    cluster_type: lookedUp(options),
    lb_policy: "LEAST_REQUEST",
    load_assignment: {
      cluster_name: name,
      endpoints: versions?.endpoints ?? [{ lb_endpoints: [address(discoveryName)] }],
      ...(order !== undefined || versions !== undefined ? { policy: STRICT_ORDER } : {}),
    },
    ...(order !== undefined ? { common_lb_config: ANYBODY_AT_LAST } : {}),
    ...versions?.fields,
    ...betweenSidecars(port),
    circuit_breakers: circuitBreakers(edge.traffic),
    outlier_detection: {
      ...outlierDetection(edge.traffic),
      ...(order !== undefined ? { max_ejection_percent: 100 } : {}),
      ...(order === "last" ? NOT_FOR_ANSWERS : {}),
      ...(order === "before another" && port.protocol === "tcp" ? AT_ONCE : {}),
      ...versions?.ejection,
    },
    upstream_connection_options: KEEPALIVE,
    transport_socket: clientTls(peers, sni, port.protocol === "http" ? ["h2"] : alpnOf(port.protocol)),
  };
}

/** How requests are sent to another sidecar, each with the own token. HTTP/1.1 gains from multiplexing, too; an upgrade (WebSocket) needs HTTP/1.1. */
export function betweenSidecars({ protocol }: Pick<ServicePort, "protocol">): Message {
  return protocolOptions(protocol === "websocket" ? "http1" : "http2", "300s", presentToken());
}

/** A cluster's hosts are those that the node resolver tells for its names. */
export function lookedUp({ resolverAddress }: EnvoyOptions): Message {
  return extension("envoy.clusters.dns", "envoy.extensions.clusters.dns.v3.DnsCluster", {
    dns_refresh_rate: `${String(DISCOVERY_TIMES.refresh)}s`,
    dns_jitter: `${String(DISCOVERY_TIMES.jitter)}s`,
    dns_failure_refresh_rate: { base_interval: "1s", max_interval: "5s" },
    dns_lookup_family: "V4_ONLY",
    typed_dns_resolver_config: resolver(resolverAddress),
  });
}

/** A peer that is gone without a word is known to be after half a minute. */
export const KEEPALIVE: Message = {
  tcp_keepalive: { keepalive_probes: 3, keepalive_time: 10, keepalive_interval: 5 },
};

/**
 * One cluster above several, which tries them in their order.
 *
 * @see https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/aggregate_cluster
 */
export function orderedCluster(edge: Edge, port: ServicePort, clusters: readonly string[]): Message {
  return {
    name: outboundName(edge),
    connect_timeout: CONNECT_TIMEOUT,
    cluster_type: extension("envoy.clusters.aggregate", "envoy.extensions.clusters.aggregate.v3.ClusterConfig", {
      clusters,
    }),
    lb_policy: "CLUSTER_PROVIDED",
    common_lb_config: ANYBODY_AT_LAST,
    // The filters that a request passes last are those of this cluster, not of the ones below (envoyproxy/envoy#29318); and retries are counted here.
    ...betweenSidecars(port),
    circuit_breakers: orderedBreakers(edge.traffic),
  };
}

/** The application behind one of its ports, on the pod's loopback; or the service outside the cluster that the pod is the way to. */
export function applicationCluster(service: Service, port: ServicePort): Message {
  const external = externalOf(service);
  if (external !== undefined) return externalCluster(service, port, external);
  return loopbackCluster(applicationName(port.name), port, service);
}

/** A cluster that answers what the mesh asks of an application by itself. */
export interface AskedTarget {
  readonly name: string;
  /** The cluster itself, where it is there for nothing else. */
  readonly own: readonly Message[];
}

/** The cluster that answers the application's health check. */
export function healthTarget(service: Service, health: HealthCheck): AskedTarget {
  return askedTarget(service, health.port, HEALTH_CLUSTER);
}

/** The cluster that answers with the application's own metrics. */
export function metricsTarget(service: Service, metrics: MetricsEndpoint): AskedTarget {
  return askedTarget(service, metrics.port, METRICS_CLUSTER);
}

/** A port of the service that speaks HTTP is used as it is; any other number gets a cluster of its own (HTTP/1.1). */
function askedTarget(service: Service, number: number, own: string): AskedTarget {
  const port = service.ports.find((candidate) => candidate.port === number && isHttp(candidate.protocol));
  return port === undefined
    ? { name: own, own: [loopbackCluster(own, { port: number, protocol: "http" }, service)] }
    : { name: applicationName(port.name), own: [] };
}

/** This Envoy's admin interface, through the Unix socket that only the sidecar's container has. */
export function adminCluster(): Message {
  return {
    name: ADMIN_CLUSTER,
    connect_timeout: CONNECT_TIMEOUT,
    type: "STATIC",
    load_assignment: endpoint(ADMIN_CLUSTER, { pipe: { path: `${SIDECAR_PATHS.run}/admin.sock` } }),
  };
}

/** The callee and port of a call. Throws when the mesh does not have them: an edge to nowhere means that the mesh was not resolved. */
export function calleeOf(mesh: Mesh, call: OutgoingCall): { readonly service: Service; readonly port: ServicePort } {
  const { edge } = call;
  const service = answererOf(mesh, call);
  const port = service.ports.find((candidate) => candidate.name === edge.port);
  if (port === undefined) {
    throw new RangeError(`${edge.source}: the mesh has no port ${edge.port} of ${edge.to}; resolve the document again`);
  }
  return { service, port };
}

function loopbackCluster(name: string, target: Pick<ServicePort, "port" | "protocol">, service: Service): Message {
  const { port, protocol } = target;
  return {
    name,
    connect_timeout: CONNECT_TIMEOUT,
    type: "STATIC",
    load_assignment: endpoint(name, socketAddress("127.0.0.1", port)),
    ...applicationOptions(protocol),
    circuit_breakers: applicationBreakers(protocol, service.traffic),
  };
}

function endpoint(clusterName: string, address: Message): Message {
  return { cluster_name: clusterName, endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] };
}

/** Two short tries, so that a silent resolver delays a sidecar's start by seconds at most. */
function resolver(address: string): Message {
  return extension(
    "envoy.network.dns_resolver.cares",
    "envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig",
    {
      resolvers: [socketAddress(address, NODE_RESOLVER.dnsPort)],
      dns_resolver_options: { no_default_search_domain: true },
      query_timeout_seconds: 1,
      query_tries: 2,
      // A new socket for each query: an old one would stay bound to a resolver pod that is gone.
      udp_max_queries: 1,
    },
  );
}
