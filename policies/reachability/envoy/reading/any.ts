import { closedKeys } from "../../../envoy/shape";
import type { Field } from "../../../judgement/field";
import type { Findings } from "../../../judgement/finding";

const ANY_PREFIX = "type.googleapis.com/envoy.";
const CONFIG = "config";
const EXTENSIONS = "extensions";

/** Messages that no check of the form looks into, with all that they may say. */
const CLOSED: Readonly<Record<string, readonly string[]>> = {
  [`${EXTENSIONS}.filters.http.router.v3.Router`]: ["suppress_envoy_headers"],
  [`${EXTENSIONS}.filters.http.grpc_stats.v3.FilterConfig`]: ["stats_for_all_methods"],
  [`${EXTENSIONS}.filters.listener.tls_inspector.v3.TlsInspector`]: [],
  [`${EXTENSIONS}.filters.http.upstream_codec.v3.UpstreamCodec`]: [],
  [`${EXTENSIONS}.clusters.dns.v3.DnsCluster`]: [
    "dns_refresh_rate",
    "dns_jitter",
    "dns_failure_refresh_rate",
    "dns_lookup_family",
    "typed_dns_resolver_config",
  ],
  [`${EXTENSIONS}.network.dns_resolver.cares.v3.CaresDnsResolverConfig`]: [
    "resolvers",
    "dns_resolver_options",
    "query_timeout_seconds",
    "query_tries",
    "udp_max_queries",
  ],
  [`${EXTENSIONS}.request_id.uuid.v3.UuidRequestIdConfig`]: ["pack_trace_reason", "use_request_id_for_trace_sampling"],
};

/** Messages that a check of the form reads, or that say what is recorded. */
const KNOWN: ReadonlySet<string> = new Set([
  ...Object.keys(CLOSED),
  `${CONFIG}.cluster.v3.Cluster`,
  `${CONFIG}.core.v3.TypedExtensionConfig`,
  `${CONFIG}.listener.v3.Listener`,
  `${CONFIG}.trace.v3.OpenTelemetryConfig`,
  ...[
    "access_loggers.filters.cel.v3.ExpressionFilter",
    "access_loggers.stream.v3.StdoutAccessLog",
    "clusters.aggregate.v3.ClusterConfig",
    "filters.http.credential_injector.v3.CredentialInjector",
    "filters.http.ext_authz.v3.ExtAuthz",
    "filters.http.health_check.v3.HealthCheck",
    "filters.http.header_mutation.v3.HeaderMutation",
    "filters.http.jwt_authn.v3.JwtAuthentication",
    "filters.http.local_ratelimit.v3.LocalRateLimit",
    "filters.http.rbac.v3.RBAC",
    "filters.network.connection_limit.v3.ConnectionLimit",
    "filters.network.http_connection_manager.v3.HttpConnectionManager",
    "filters.network.set_filter_state.v3.Config",
    "filters.network.tcp_proxy.v3.TcpProxy",
    "filters.udp.dns_filter.v3.DnsFilterConfig",
    "formatter.file_content.v3.FileContent",
    "http.injected_credentials.generic.v3.Generic",
    "rate_limit_descriptors.expr.v3.Descriptor",
    "resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
    "resource_monitors.fixed_heap.v3.FixedHeapConfig",
    "retry.host.previous_hosts.v3.PreviousHostsPredicate",
    "retry.priority.previous_priorities.v3.PreviousPrioritiesConfig",
    "tracers.opentelemetry.resource_detectors.v3.StaticConfigResourceDetectorConfig",
    "transport_sockets.tls.v3.DownstreamTlsContext",
    "transport_sockets.tls.v3.Secret",
    "transport_sockets.tls.v3.UpstreamTlsContext",
    "upstreams.http.v3.HttpProtocolOptions",
  ].map((name) => `${EXTENSIONS}.${name}`),
]);

/** Looks at every message of a file, wherever it stands: its type is known, and files that it names are read again when they change. */
export function checkMessages(field: Field, findings: Findings): void {
  if (field.isList) {
    for (const item of field.items()) checkMessages(item, findings);
  } else if (field.isMap) {
    if (field.has("@type") || field.path.endsWith(".typed_config")) checkType(field, findings);
    for (const [, options] of field.at("typed_extension_protocol_options").entries()) checkHttp(options, findings);
    if (field.has("path_config_source")) checkSource(field, findings);
    for (const [, value] of field.entries()) checkMessages(value, findings);
  }
}

function checkType(message: Field, findings: Findings): void {
  const type = (message.at("@type").text() ?? "").replace(ANY_PREFIX, "");
  findings.require(
    KNOWN.has(type),
    message.at("@type"),
    "the message is none that is modelled",
    "take one of those that envoy/ renders, or model it in policies/reachability/envoy/",
  );
  const keys = Object.hasOwn(CLOSED, type) ? CLOSED[type] : undefined;
  if (keys !== undefined) closedKeys(message, ["@type", ...keys], findings);
}

/** How requests are sent on. */
function checkHttp(options: Field, findings: Findings): void {
  findings.require(options.has("@type"), options, "the options have no type", "render the file with envoy/");
  const config = options.at("explicit_http_config");
  closedKeys(config.at("http_protocol_options"), ["enable_trailers"], findings);
  closedKeys(config.at("http2_protocol_options"), ["connection_keepalive"], findings);
}

/** Envoy reads a file again when something is moved into the watched directory, and by the third version of its API alone. */
function checkSource(source: Field, findings: Findings): void {
  const file = source.at("path_config_source");
  closedKeys(source, ["path_config_source", "resource_api_version"], findings);
  closedKeys(file, ["path", "watched_directory"], findings);
  closedKeys(file.at("watched_directory"), ["path"], findings);
  findings.require(
    source.at("resource_api_version").is("V3") && file.at("watched_directory", "path").is("/etc/envoy/config"),
    source,
    "the file isn't read, or is never read again",
    "set resource_api_version: V3 and watch /etc/envoy/config",
  );
}
