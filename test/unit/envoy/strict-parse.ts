import * as fs from "node:fs";
import * as path from "node:path";
import * as protobuf from "protobufjs";

/** Where the npm package keeps Envoy's `.proto` files and those that they import. */
const DEPS = path.join(path.dirname(require.resolve("@grpc/grpc-js-xds/package.json")), "deps");
const INCLUDES = [
  ...["envoy-api", "xds", "protoc-gen-validate", "googleapis"].map((name) => path.join(DEPS, name)),
  path.dirname(require.resolve("protobufjs/package.json")),
];

/** Files with the messages that a sidecar's configuration may hold; what they import comes with them. */
const FILES = [
  "envoy/config/bootstrap/v3/bootstrap.proto",
  "envoy/config/trace/v3/opentelemetry.proto",
  "envoy/service/discovery/v3/discovery.proto",
  "envoy/extensions/access_loggers/filters/cel/v3/cel.proto",
  "envoy/extensions/access_loggers/stream/v3/stream.proto",
  "envoy/extensions/clusters/aggregate/v3/cluster.proto",
  "envoy/extensions/filters/http/credential_injector/v3/credential_injector.proto",
  "envoy/extensions/filters/http/ext_authz/v3/ext_authz.proto",
  "envoy/extensions/filters/http/grpc_stats/v3/config.proto",
  "envoy/extensions/filters/http/header_mutation/v3/header_mutation.proto",
  "envoy/extensions/filters/http/health_check/v3/health_check.proto",
  "envoy/extensions/filters/http/jwt_authn/v3/config.proto",
  "envoy/extensions/filters/http/local_ratelimit/v3/local_rate_limit.proto",
  "envoy/extensions/filters/http/rbac/v3/rbac.proto",
  "envoy/extensions/filters/http/router/v3/router.proto",
  "envoy/extensions/filters/http/upstream_codec/v3/upstream_codec.proto",
  "envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector.proto",
  "envoy/extensions/filters/network/connection_limit/v3/connection_limit.proto",
  "envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.proto",
  "envoy/extensions/filters/network/set_filter_state/v3/set_filter_state.proto",
  "envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy.proto",
  "envoy/extensions/filters/udp/dns_filter/v3/dns_filter.proto",
  "envoy/extensions/http/injected_credentials/generic/v3/generic.proto",
  "envoy/extensions/network/dns_resolver/cares/v3/cares_dns_resolver.proto",
  "envoy/extensions/rate_limit_descriptors/expr/v3/expr.proto",
  "envoy/extensions/request_id/uuid/v3/uuid.proto",
  "envoy/extensions/resource_monitors/downstream_connections/v3/downstream_connections.proto",
  "envoy/extensions/resource_monitors/fixed_heap/v3/fixed_heap.proto",
  "envoy/extensions/retry/host/previous_hosts/v3/previous_hosts.proto",
  "envoy/extensions/retry/priority/previous_priorities/v3/previous_priorities_config.proto",
  "envoy/extensions/tracers/opentelemetry/resource_detectors/v3/static_config_resource_detector.proto",
  "envoy/extensions/transport_sockets/tls/v3/tls.proto",
  "envoy/extensions/upstreams/http/v3/http_protocol_options.proto",
];

/**
 * What Envoy 1.40 has and the package's older files have not: as `.proto` text, and fields to add to messages that exist. Kept to what is used here;
 * `envoy --mode validate` (validate.test.ts) covers these with Envoy's own descriptors.
 *
 * @see https://github.com/envoyproxy/envoy/blob/v1.40.0/api/envoy/extensions/clusters/dns/v3/dns_cluster.proto
 */
const NEWER = [
  `
syntax = "proto3";
package envoy.extensions.clusters.dns.v3;
import "google/protobuf/duration.proto";
import "envoy/config/core/v3/extension.proto";
import "envoy/config/cluster/v3/cluster.proto";
message DnsCluster {
  message RefreshRate { google.protobuf.Duration base_interval = 1; google.protobuf.Duration max_interval = 2; }
  google.protobuf.Duration dns_refresh_rate = 3;
  RefreshRate dns_failure_refresh_rate = 4;
  bool respect_dns_ttl = 5;
  google.protobuf.Duration dns_jitter = 6;
  config.core.v3.TypedExtensionConfig typed_dns_resolver_config = 7;
  enum DnsLookupFamily { UNSPECIFIED = 0; AUTO = 1; V4_ONLY = 2; V6_ONLY = 3; V4_PREFERRED = 4; ALL = 5; }
  DnsLookupFamily dns_lookup_family = 8;
  bool all_addresses_in_single_endpoint = 9;
}`,
  `
syntax = "proto3";
package envoy.config.rbac.v3;
import "envoy/type/matcher/v3/metadata.proto";
message SourcedMetadata { type.matcher.v3.MetadataMatcher metadata_matcher = 1; }`,
  `
syntax = "proto3";
package envoy.extensions.formatter.file_content.v3;
message FileContent {}`,
];
const NEWER_FIELDS = [
  {
    message: "envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig",
    name: "query_timeout_seconds",
    type: "uint64",
  },
  {
    message: "envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig",
    name: "query_tries",
    type: "uint32",
  },
  { message: "envoy.type.tracing.v3.CustomTag", name: "value", type: "string" },
  {
    message: "envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit",
    name: "rate_limits",
    type: "envoy.config.route.v3.RateLimit",
    rule: "repeated",
  },
  {
    message: "envoy.config.rbac.v3.Principal",
    name: "sourced_metadata",
    type: "envoy.config.rbac.v3.SourcedMetadata",
  },
  {
    message: "envoy.extensions.filters.network.set_filter_state.v3.Config",
    name: "on_downstream_tls_handshake",
    type: "envoy.extensions.filters.common.set_filter_state.v3.FilterStateValue",
    rule: "repeated",
  },
  {
    message: "envoy.extensions.filters.http.ext_authz.v3.ExtAuthz",
    name: "emit_filter_state_stats",
    type: "bool",
  },
  {
    message: "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
    name: "backoff_options",
    type: "envoy.config.core.v3.BackoffStrategy",
  },
] as const;

/** JSON forms of the well-known types that are not messages in JSON. */
const SPECIAL: Readonly<Record<string, (value: unknown) => boolean>> = {
  "google.protobuf.Duration": (value) => typeof value === "string" && /^\d+(\.\d{1,9})?s$/.test(value),
  "google.protobuf.BoolValue": (value) => typeof value === "boolean",
  "google.protobuf.StringValue": (value) => typeof value === "string",
  "google.protobuf.UInt32Value": (value) => Number.isSafeInteger(value),
  "google.protobuf.UInt64Value": (value) => Number.isSafeInteger(value),
  "google.protobuf.DoubleValue": (value) => typeof value === "number",
  "google.protobuf.Struct": (value) => typeof value === "object" && value !== null && !Array.isArray(value),
};

let loaded: protobuf.Root | undefined;

function root(): protobuf.Root {
  if (loaded === undefined) {
    const fresh = new protobuf.Root();
    fresh.resolvePath = (_origin, target) => {
      if (protobuf.common.get(target) !== null || path.isAbsolute(target)) {
        return target;
      }
      const directory = INCLUDES.find((include) => fs.existsSync(path.join(include, target)));
      return directory === undefined ? target : path.join(directory, target);
    };
    fresh.loadSync(FILES, { keepCase: true });
    for (const text of NEWER) {
      protobuf.parse(text, fresh, { keepCase: true });
    }
    for (const [index, field] of NEWER_FIELDS.entries()) {
      const rule = "rule" in field ? field.rule : undefined;
      const added = new protobuf.Field(field.name, 1000 + index, field.type, rule);
      fresh.lookupType(field.message).add(added);
      // The messages around it were resolved as they were loaded.
      added.resolve();
    }
    fresh.resolveAll();
    loaded = fresh;
  }
  return loaded;
}

/**
 * Everything in a value that does not fit a message: unknown fields and types, wrong kinds, unknown enum names, two fields of one `oneof`. Empty when
 * all is well. Messages packed as `Any` are opened.
 */
export function problemsOf(typeName: string, value: unknown, at = "$"): string[] {
  const type = root().lookup(typeName);
  if (!(type instanceof protobuf.Type)) {
    return [`${at}: unknown type ${typeName}`];
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return [`${at}: ${typeName} wants a mapping`];
  }
  const given = Object.entries(value).filter(([key]) => key !== "@type");
  const taken = new Map<protobuf.OneOf, string>();
  return given.flatMap(([key, item]: [string, unknown]) => {
    const field = type.fields[key];
    const where = `${at}.${key}`;
    if (field === undefined) {
      return [`${where}: ${typeName} has no such field`];
    }
    const other = field.partOf === null ? undefined : taken.get(field.partOf);
    if (field.partOf !== null) {
      taken.set(field.partOf, key);
    }
    return [...(other === undefined ? [] : [`${where}: excludes ${other}`]), ...fieldProblems(field, item, where)];
  });
}

function fieldProblems(field: protobuf.Field, value: unknown, at: string): string[] {
  if (field instanceof protobuf.MapField) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      return [`${at}: wants a mapping`];
    }
    return Object.entries(value).flatMap(([key, item]) => itemProblems(field, item, `${at}["${key}"]`));
  }
  if (field.repeated) {
    return Array.isArray(value)
      ? value.flatMap((item, index) => itemProblems(field, item, `${at}[${index}]`))
      : [`${at}: wants a list`];
  }
  return itemProblems(field, value, at);
}

function itemProblems(field: protobuf.Field, value: unknown, at: string): string[] {
  const type = field.resolvedType;
  if (type instanceof protobuf.Enum) {
    return typeof value === "string" && value in type.values ? [] : [`${at}: ${type.name} has no ${String(value)}`];
  }
  if (type instanceof protobuf.Type) {
    const name = type.fullName.slice(1);
    if (name === "google.protobuf.Any") {
      return anyProblems(value, at);
    }
    const special = SPECIAL[name];
    if (special !== undefined) {
      return special(value) ? [] : [`${at}: ${JSON.stringify(value)} is no ${name}`];
    }
    return problemsOf(name, value, at);
  }
  return scalarFits(field.type, value) ? [] : [`${at}: ${JSON.stringify(value)} is no ${field.type}`];
}

function anyProblems(value: unknown, at: string): string[] {
  const url = (value as { "@type"?: unknown } | null)?.["@type"];
  return typeof url === "string" && url.startsWith("type.googleapis.com/")
    ? problemsOf(url.slice("type.googleapis.com/".length), value, at)
    : [`${at}: an Any wants an @type`];
}

function scalarFits(type: string, value: unknown): boolean {
  switch (type) {
    case "string":
    case "bytes":
      return typeof value === "string";
    case "bool":
      return typeof value === "boolean";
    case "float":
    case "double":
      return typeof value === "number";
    case "int64":
    case "sint64":
      return Number.isSafeInteger(value) || (typeof value === "string" && /^-?\d+$/.test(value));
    default:
      return Number.isSafeInteger(value);
  }
}
