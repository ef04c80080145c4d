import { PEER_CONNECTION_SECONDS } from "../mesh/drain";
import type { Protocol } from "../mesh/model";
import { any, extension, type Message } from "./message";

/** Protocols that carry HTTP requests; only `tcp` does not. */
export type HttpProtocol = Exclude<Protocol, "tcp">;

/** Whether requests can be seen on a port of this protocol. */
export function isHttp(protocol: Protocol): protocol is HttpProtocol {
  return protocol !== "tcp";
}

/**
 * ALPN protocols that a port offers. WebSocket stays on HTTP/1.1, where the upgrade is a plain one; TCP is carried by
 * HTTP/2 CONNECT.
 */
export function alpnOf(protocol: Protocol): readonly string[] {
  switch (protocol) {
    case "http":
      return ["h2", "http/1.1"];
    case "http2":
    case "grpc":
    case "tcp":
      return ["h2"];
    case "websocket":
      return ["http/1.1"];
  }
}

/** What requests on a port of this protocol are turned into, if anything. */
export function upgradeOf(protocol: Protocol): "websocket" | "CONNECT" | undefined {
  switch (protocol) {
    case "websocket":
      return "websocket";
    case "tcp":
      return "CONNECT";
    default:
      return undefined;
  }
}

/** How an application speaks HTTP that is asked on a port of this protocol: version 2 where that is what it declares. */
export function applicationVersion(protocol: HttpProtocol): "http1" | "http2" {
  return protocol === "http2" || protocol === "grpc" ? "http2" : "http1";
}

/** Options of a cluster that leads to an application; none where no requests are seen. */
export function applicationOptions(protocol: Protocol): Message {
  if (!isHttp(protocol)) return {};
  const version = applicationVersion(protocol);
  // Idle connections are given up sooner than common servers do it (Node: 5 s), so that no request meets a closing one.
  return protocolOptions(version, version === "http1" ? "4s" : "300s");
}

/** Silence after which a TCP connection is given up. */
export const TCP_IDLE_TIMEOUT = "3600s";

/** What differs between the HTTP connection managers of a sidecar. */
export interface ConnectionManager {
  readonly statPrefix: string;
  /** Routes of the only virtual host, which answers to every host name. */
  readonly routes: readonly Message[];
  /** Headers of requests that don't go on. Default: none but Envoy's own. */
  readonly withheld?: readonly string[];
  /** Filters before the router. */
  readonly filters?: readonly Message[];
  readonly accessLog: readonly Message[];
  readonly tracing?: Message | undefined;
  /** What a request may be turned into: a WebSocket, or (CONNECT) a plain connection. */
  readonly upgrade?: "websocket" | "CONNECT" | undefined;
  /** Age at which a connection is drained and made anew. Default: none. */
  readonly maxConnectionDuration?: string;
  /** Further fields, or others in place of the common ones. */
  readonly overrides?: Message;
}

/**
 * An HTTP connection manager with what all of ours have: normalized paths, no `x-envoy-` header believed or sent, bounded headers and slow
 * clients, and routes that may name a cluster not there yet.
 *
 * @see https://www.envoyproxy.io/docs/envoy/latest/configuration/best_practices/edge
 */
export function connectionManager(manager: ConnectionManager): Message {
  return extension(
    "envoy.filters.network.http_connection_manager",
    "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
    {
      stat_prefix: manager.statPrefix,
      codec_type: "AUTO",
      normalize_path: true,
      merge_slashes: true,
      path_with_escaped_slashes_action: "REJECT_REQUEST",
      use_remote_address: true,
      internal_address_config: NOBODY_INTERNAL,
      // A caller's request id goes on through the mesh as it is, or a call could not be followed. It decides nothing, traces least of all.
      preserve_external_request_id: true,
      request_id_extension: {
        typed_config: any("envoy.extensions.request_id.uuid.v3.UuidRequestIdConfig", {
          pack_trace_reason: false,
          use_request_id_for_trace_sampling: false,
        }),
      },
      server_header_transformation: "PASS_THROUGH",
      common_http_protocol_options: {
        idle_timeout: "300s",
        ...(manager.maxConnectionDuration === undefined
          ? {}
          : { max_connection_duration: manager.maxConnectionDuration }),
        max_headers_count: 100,
        headers_with_underscores_action: "DROP_HEADER",
      },
      http_protocol_options: { enable_trailers: true },
      http2_protocol_options: {
        max_concurrent_streams: 256,
        initial_stream_window_size: 262144,
        initial_connection_window_size: 1048576,
        ...(manager.upgrade === "CONNECT" ? { allow_connect: true } : {}),
      },
      // Otherwise Envoy itself would say `100 Continue`, and a body would be sent to a callee that refuses the call.
      proxy_100_continue: true,
      request_headers_timeout: "10s",
      stream_idle_timeout: "300s",
      ...(manager.upgrade === undefined ? {} : { upgrade_configs: [{ upgrade_type: manager.upgrade }] }),
      access_log: manager.accessLog,
      ...(manager.tracing === undefined ? {} : { tracing: manager.tracing }),
      route_config: {
        name: manager.statPrefix,
        // A swap of the files may bring a listener before its clusters are warm; checked, the whole listener would be rejected for good.
        validate_clusters: false,
        request_headers_to_remove: ["x-envoy-external-address", ...(manager.withheld ?? [])],
        virtual_hosts: [{ name: manager.statPrefix, domains: ["*"], routes: manager.routes }],
      },
      http_filters: [...(manager.filters ?? []), ROUTER],
      ...manager.overrides,
    },
  );
}

/**
 * A peer proves itself when it connects, and never again on that connection: so none is older than this, and together with the 5 s in which calls under way may end what trust
 * and revocation say today holds for everybody within a minute. Streams under way are finished; a withdrawal cuts them off (withdrawals.ts).
 */
export const MAX_PEER_CONNECTION = `${String(PEER_CONNECTION_SECONDS)}s`;

/**
 * No peer has this address, so none counts as internal and the `x-envoy-` headers of every one are removed. An empty list would stand for all
 * private addresses.
 */
const NOBODY_INTERNAL: Message = { cidr_ranges: [{ address_prefix: "255.255.255.255", prefix_len: 32 }] };

/** Counts gRPC calls by their outcome (`grpc-status`), which HTTP status codes do not show. */
export const GRPC_STATS: Message = extension(
  "envoy.filters.http.grpc_stats",
  "envoy.extensions.filters.http.grpc_stats.v3.FilterConfig",
  { stats_for_all_methods: false },
);

const ROUTER: Message = extension("envoy.filters.http.router", "envoy.extensions.filters.http.router.v3.Router", {
  suppress_envoy_headers: true,
});

/** A route for `GET` of one exact path; where it has a query, of that question and no other. */
export function getRoute(target: string, action: Message): Message {
  const [path = "", ...query] = target.split("?");
  const headers = [{ name: ":method", string_match: { exact: "GET" } }];
  if (query.length > 0) headers.push({ name: ":path", string_match: { exact: target } });
  return { match: { path, headers }, route: action };
}

/** The last route of a list: everything else does not exist. */
export const NOT_FOUND: Message = { match: { prefix: "/" }, direct_response: { status: 404 } };

/** `typed_extension_protocol_options` of a cluster whose hosts speak this protocol, with the filters that each request to it passes last. */
export function protocolOptions(
  version: "http1" | "http2",
  idleTimeout: string,
  filters: readonly Message[] = [],
): Message {
  const explicit: Message =
    version === "http1"
      ? { http_protocol_options: { enable_trailers: true } }
      : { http2_protocol_options: { connection_keepalive: { interval: "30s", timeout: "5s" } } };
  return {
    typed_extension_protocol_options: {
      "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": any(
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        {
          common_http_protocol_options: { idle_timeout: idleTimeout },
          explicit_http_config: explicit,
          ...(filters.length === 0 ? {} : { http_filters: filters }),
        },
      ),
    },
  };
}
