import type { Edge, Mesh, Service } from "../mesh/model";
import { failedCalls } from "./access-log";
import { calleeOf } from "./clusters";
import { connectionManager, GRPC_STATS, isHttp, TCP_IDLE_TIMEOUT, upgradeOf, type HttpProtocol } from "./http";
import { any, extension, socketAddress, type Message } from "./message";
import { outboundName } from "./names";
import type { EnvoyOptions } from "./options";
import { operation, tracing } from "./tracing";

/**
 * Where the application dials one declared callee: the callee's loopback address at the edge's dial port. Only this pod can reach it, and what it
 * carries goes to that callee's port and nowhere else.
 */
export function outboundListener(mesh: Mesh, caller: Service, edge: Edge, options: EnvoyOptions): Message {
  const { service: callee, port } = calleeOf(mesh, edge);
  const name = outboundName(edge);
  const subject = { kind: "call", direction: "outbound", service: caller.name, callee: callee.name, port: port.name };
  const filter = isHttp(port.protocol)
    ? connectionManager({
        statPrefix: name,
        upgrade: upgradeOf(port.protocol),
        accessLog: [failedCalls(subject)],
        // Spans of the export itself would beget spans.
        tracing: edge.kind === "telemetry" ? undefined : tracing(mesh, caller, options),
        filters: port.protocol === "grpc" ? [GRPC_STATS] : [],
        routes: [
          {
            match: { prefix: "/" },
            route: action(name, port.protocol, options),
            ...operation(`call ${callee.name}/${port.name}`),
          },
        ],
        overrides: { skip_xff_append: true },
      })
    : extension("envoy.filters.network.tcp_proxy", "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy", {
        stat_prefix: name,
        cluster: name,
        idle_timeout: TCP_IDLE_TIMEOUT,
        // See inbound.ts: TCP travels as a CONNECT.
        tunneling_config: { hostname: `${callee.hostname}:${port.dialPort}` },
        max_connect_attempts: 3,
        access_log: [failedCalls(subject)],
      });
  return any("envoy.config.listener.v3.Listener", {
    name,
    stat_prefix: name,
    address: socketAddress(callee.address, port.dialPort),
    traffic_direction: "OUTBOUND",
    enable_reuse_port: false,
    per_connection_buffer_limit_bytes: 1048576,
    filter_chains: [{ filters: [filter] }],
  });
}

function action(cluster: string, protocol: HttpProtocol, options: EnvoyOptions): Message {
  return { cluster, ...timeouts(protocol), ...(options.retries === false ? {} : { retry_policy: RETRIES }) };
}

/** A request and its answer end within 15 s; what streams is bounded by its silence alone (and gRPC by the deadline that the caller gives). */
function timeouts(protocol: HttpProtocol): Message {
  switch (protocol) {
    case "http":
      return { timeout: "15s" };
    case "grpc":
      return { timeout: "0s", max_stream_duration: { grpc_timeout_header_max: "0s" } };
    case "http2":
    case "websocket":
      return { timeout: "0s" };
  }
}

/** Only what certainly never reached the application is tried again, so a retry is safe for every method. */
const RETRIES: Message = {
  retry_on: "connect-failure,refused-stream,reset-before-request",
  num_retries: 2,
  retry_back_off: { base_interval: "0.025s", max_interval: "0.25s" },
  retry_host_predicate: [
    extension(
      "envoy.retry_host_predicates.previous_hosts",
      "envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate",
    ),
  ],
  // Picking costs nothing: of two instances one dead, three picks would meet the dead one again in one retry of eight.
  host_selection_retry_max_attempts: "10",
};
