import type { OutgoingCall } from "../../mesh/datacenters/calls";
import type { Mesh, Service } from "../../mesh/model";
import { failedCalls } from "../observability/access-log";
import { calleeOf } from "../clusters";
import { connectionManager, GRPC_STATS, isHttp, TCP_IDLE_TIMEOUT, upgradeOf } from "../http";
import { tokenForTunnel, TUNNEL_HEADER } from "../identity/identity-token";
import { any, extension, socketAddress, type Message } from "../message";
import { outboundName } from "../names";
import type { EnvoyOptions } from "../options";
import { connects, outboundRoutes } from "../traffic/retries";
import { operation, tracing } from "../observability/tracing";
import { destinations, share } from "../traffic/versions";

/**
 * Where the application dials one declared callee: the callee's loopback address at the edge's dial port. Only this pod can reach it, and what it
 * carries goes to that callee's port and nowhere else.
 */
export function outboundListener(mesh: Mesh, caller: Service, call: OutgoingCall, options: EnvoyOptions): Message {
  const { edge, datacenters = [] } = call;
  const { service: callee, port } = calleeOf(mesh, call);
  const name = outboundName(edge);
  const subject = { kind: "call", direction: "outbound", service: caller.name, callee: callee.name, port: port.name };
  const { protocol } = port;
  const filter = isHttp(protocol)
    ? connectionManager({
        statPrefix: name,
        upgrade: upgradeOf(port.protocol),
        accessLog: [failedCalls(subject)],
        // Spans of the export itself would beget spans.
        tracing: edge.kind === "telemetry" ? undefined : tracing(mesh, caller, options),
        filters: port.protocol === "grpc" ? [GRPC_STATS] : [],
        routes: outboundRoutes(
          {
            destinations: destinations(edge, callee, name),
            protocol,
            traffic: edge.traffic,
            isElsewhereToo: datacenters.length > 1,
            common: operation(`call ${callee.name}/${port.name}`),
          },
          options,
        ),
        overrides: { skip_xff_append: true },
      })
    : extension("envoy.filters.network.tcp_proxy", "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy", {
        stat_prefix: name,
        ...share(edge, callee, name),
        idle_timeout: TCP_IDLE_TIMEOUT,
        // See inbound.ts: TCP travels as a CONNECT.
        tunneling_config: { hostname: `${callee.hostname}:${port.dialPort}`, headers_to_add: [TUNNEL_HEADER] },
        ...connects(edge.traffic, datacenters.length > 1, options),
        access_log: [failedCalls(subject)],
      });
  return any("envoy.config.listener.v3.Listener", {
    name,
    stat_prefix: name,
    address: socketAddress(callee.address, port.dialPort),
    traffic_direction: "OUTBOUND",
    enable_reuse_port: false,
    per_connection_buffer_limit_bytes: 1048576,
    filter_chains: [{ filters: isHttp(port.protocol) ? [filter] : [tokenForTunnel(), filter] }],
  });
}
