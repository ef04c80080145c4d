import { extension, socketAddress, type Message } from "../message";

/** What the listeners have in common at which others enter, chosen by server name. */
export function tlsListener(name: string, port: number): Message {
  return {
    name,
    stat_prefix: name,
    address: socketAddress("0.0.0.0", port),
    traffic_direction: "INBOUND",
    // With SO_REUSEPORT another process of the same user could bind the port too and take a share of the connections.
    enable_reuse_port: false,
    per_connection_buffer_limit_bytes: 1048576,
    listener_filters_timeout: "5s",
    listener_filters: [
      extension(
        "envoy.filters.listener.tls_inspector",
        "envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector",
      ),
    ],
  };
}
