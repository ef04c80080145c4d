import type { Field } from "../judgement/field";
import type { Findings } from "../judgement/finding";

const ANY_PREFIX = "type.googleapis.com/";

/** Names by which the mesh calls each extension. The type decides what runs; the name decides which per-route override hits it, so both are fixed. */
const EXTENSIONS: Readonly<Record<string, string>> = {
  "envoy.transport_sockets.tls": "envoy.extensions.transport_sockets.tls.v3.",
  "envoy.filters.listener.tls_inspector": "envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector",
  "envoy.filters.udp.dns_filter": "envoy.extensions.filters.udp.dns_filter.v3.DnsFilterConfig",
  "envoy.filters.network.http_connection_manager":
    "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
  "envoy.filters.network.tcp_proxy": "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
  "envoy.filters.network.rbac": "envoy.extensions.filters.network.rbac.v3.RBAC",
  "envoy.filters.network.connection_limit": "envoy.extensions.filters.network.connection_limit.v3.ConnectionLimit",
  "envoy.filters.http.rbac": "envoy.extensions.filters.http.rbac.v3.RBAC",
  "envoy.filters.http.grpc_stats": "envoy.extensions.filters.http.grpc_stats.v3.FilterConfig",
  "envoy.filters.http.local_ratelimit": "envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit",
  "envoy.filters.http.jwt_authn": "envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
  "envoy.rate_limit_descriptors.expr": "envoy.extensions.rate_limit_descriptors.expr.v3.Descriptor",
  "envoy.retry_host_predicates.previous_hosts": "envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate",
  "envoy.retry_priorities.previous_priorities":
    "envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig",
  "envoy.filters.http.header_mutation.end_users": "envoy.extensions.filters.http.header_mutation.v3.HeaderMutation",
  "envoy.filters.http.jwt_authn.end_users": "envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
  "envoy.filters.http.rbac.end_users": "envoy.extensions.filters.http.rbac.v3.RBAC",
  "envoy.filters.http.health_check": "envoy.extensions.filters.http.health_check.v3.HealthCheck",
  "envoy.filters.http.ext_authz": "envoy.extensions.filters.http.ext_authz.v3.ExtAuthz",
  "envoy.filters.network.set_filter_state": "envoy.extensions.filters.network.set_filter_state.v3.Config",
  "envoy.formatter.file_content": "envoy.extensions.formatter.file_content.v3.FileContent",
  "envoy.filters.http.credential_injector": "envoy.extensions.filters.http.credential_injector.v3.CredentialInjector",
  "envoy.http.injected_credentials.generic": "envoy.extensions.http.injected_credentials.generic.v3.Generic",
  "envoy.filters.http.upstream_codec": "envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec",
  "envoy.resource_monitors.global_downstream_max_connections":
    "envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
  "envoy.resource_monitors.fixed_heap": "envoy.extensions.resource_monitors.fixed_heap.v3.FixedHeapConfig",
  "envoy.filters.http.router": "envoy.extensions.filters.http.router.v3.Router",
};

/** An extension of a list, by the name that the mesh calls it. */
export interface NamedFilter {
  readonly name: string;
  readonly config: Field;
}

/** Reports every key that the rules don't know: what they can't read they can't allow, a second spelling of a field (camelCase) among it. */
export function closedKeys(field: Field, known: readonly string[], findings: Findings): void {
  for (const key of field.keys().filter((candidate) => !known.includes(candidate))) {
    findings.add(
      field.at(key),
      "the field is none that the rule models",
      "take it out, or teach policies/envoy/ what it means",
    );
  }
}

/** Whether a message packed as `Any` is of this type. */
export function isType(message: Field, type: string): boolean {
  return message.at("@type").is(ANY_PREFIX + type);
}

/**
 * The configuration of an extension that must be one of `allowed` (by name); undefined, with a finding, for any other. The wrapper may have nothing
 * but name and configuration: no `disabled`, no `is_optional`, no discovery.
 */
export function extensionOf(wrapper: Field, allowed: readonly string[], findings: Findings): NamedFilter | undefined {
  closedKeys(wrapper, ["name", "typed_config"], findings);
  const name = wrapper.at("name").text() ?? "";
  const config = wrapper.at("typed_config");
  const type = Object.hasOwn(EXTENSIONS, name) ? EXTENSIONS[name] : undefined;
  const declared = config.at("@type").text() ?? "";
  const matches =
    type?.endsWith(".") === true ? declared.startsWith(ANY_PREFIX + type) : declared === `${ANY_PREFIX}${type ?? ""}`;
  if (allowed.includes(name) && type !== undefined && matches) return { name, config };
  findings.add(
    wrapper,
    `the extension \`${name}\` ${allowed.includes(name) ? "is configured as something else" : "has no place here"}`,
    `take it out; here stand ${allowed.join(", ")}`,
  );
  return undefined;
}

/** Metadata holds the mark of what was withdrawn from peers, and nothing that a filter could read. */
export function checkMark(metadata: Field, findings: Findings): void {
  closedKeys(metadata, ["filter_metadata"], findings);
  closedKeys(metadata.at("filter_metadata"), ["lucid.internal"], findings);
  closedKeys(metadata.at("filter_metadata", "lucid.internal"), ["withdrawn"], findings);
}
