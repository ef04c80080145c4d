/** The way out to a service outside the cluster: what stands in its sidecar where another's application is. */
import type { ExternalWorkload, Service, ServicePort } from "../mesh/model";
import { applicationOptions, applicationVersion, isHttp } from "./http";
import { externalTls } from "./identity/tls";
import { extension, socketAddress, type Message } from "./message";
import { applicationName } from "./names";
import { applicationBreakers, outlierDetection } from "./traffic/limits";
import { DEFAULT_OUTLIER_DETECTION } from "../mesh/traffic/defaults";

/** Time to connect, TLS handshake included: what is outside may be far. */
const CONNECT_TIMEOUT = "5s";

/** How often it is asked whether it is well, and how long it may take to answer; an instance that is not is asked more often. */
const CHECKED = { interval: "30s", no_traffic_interval: "30s", unhealthy_interval: "5s", timeout: "10s" } as const;

/** Headers that tell of the mesh and its callers. */
export const INTERNAL_HEADERS = [
  "x-forwarded-client-cert",
  "x-forwarded-for",
  "x-forwarded-proto",
  "x-request-id",
] as const;

/** What a service is outside the cluster, if it is. */
export function externalOf({ workload }: Pick<Service, "workload">): ExternalWorkload | undefined {
  return workload.kind === "external" ? workload : undefined;
}

/**
 * One port of a service outside: at its literal addresses, by TLS under its own authorities and to its exact names. An instance that isn't well gets no calls, even
 * if none is left.
 *
 * @see https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/health_checking
 */
export function externalCluster(service: Service, port: ServicePort, external: ExternalWorkload): Message {
  const name = applicationName(port.name);
  const { protocol } = port;
  return {
    name,
    connect_timeout: CONNECT_TIMEOUT,
    type: "STATIC",
    lb_policy: "LEAST_REQUEST",
    load_assignment: {
      cluster_name: name,
      endpoints: [
        {
          lb_endpoints: external.addresses.map((address) => ({
            endpoint: { address: socketAddress(address, port.port) },
          })),
        },
      ],
    },
    ...applicationOptions(protocol),
    circuit_breakers: applicationBreakers(protocol, service.traffic),
    outlier_detection: outlierDetection({ outlierDetection: DEFAULT_OUTLIER_DETECTION }),
    common_lb_config: { healthy_panic_threshold: { value: 0 } },
    health_checks: [{ ...CHECKED, unhealthy_threshold: 2, healthy_threshold: 1, ...question(port, external) }],
    upstream_connection_options: {
      tcp_keepalive: { keepalive_probes: 3, keepalive_time: 10, keepalive_interval: 5 },
    },
    ...(external.tls === undefined
      ? {}
      : { transport_socket: externalTls(external.tls, spokenOutside(port, external)) }),
  };
}

/** Of a route's action: HTTP requests are for the host that the certificate names, whatever the caller called it. */
export function externalHost({ protocol }: ServicePort, external: ExternalWorkload | undefined): Message {
  return external?.tls === undefined || !isHttp(protocol) ? {} : { host_rewrite_literal: external.tls.serverName };
}

/**
 * HTTP filter that answers kubelet's `GET /health` by what is known of the service outside: well, while each port has an instance that is. What is outside is
 * asked by the clusters' own checks, not once more for each question.
 *
 * @see https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/health_check_filter
 */
export function externalHealth({ ports }: Service): Message {
  const least = ports.map(({ name }) => [applicationName(name), { value: 1 }] as const);
  return extension("envoy.filters.http.health_check", "envoy.extensions.filters.http.health_check.v3.HealthCheck", {
    pass_through_mode: false,
    headers: [
      { name: ":path", string_match: { exact: "/health" } },
      { name: ":method", string_match: { exact: "GET" } },
    ],
    cluster_min_healthy_percentages: Object.fromEntries(least),
  });
}

/** A request where one is declared, and otherwise a connection, TLS included. */
function question({ name, protocol }: ServicePort, { health, tls }: ExternalWorkload): Message {
  if (health?.port !== name) return { tcp_health_check: {} };
  const host: Message = tls === undefined ? {} : { host: tls.serverName };
  const codec: Message = protocol === "http2" ? { codec_client_type: "HTTP2" } : {};
  return { http_health_check: { path: health.path, ...host, ...codec } };
}

/** ALPN protocols of a connection to outside: what the port declares, and of a plain connection what its document names. */
function spokenOutside({ protocol }: ServicePort, { tls }: ExternalWorkload): readonly string[] {
  if (!isHttp(protocol)) return tls?.alpn ?? [];
  return applicationVersion(protocol) === "http2" ? ["h2"] : ["http/1.1"];
}
