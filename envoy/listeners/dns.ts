import { answererOf, callsFrom } from "../../mesh/datacenters/calls";
import { isDialled } from "../../mesh/edges";
import type { Mesh, Service } from "../../mesh/model";
import { any, extension, socketAddress, type Message } from "../message";
import { LISTENERS } from "../names";
import { DEFAULT_CONCURRENCY, type EnvoyOptions } from "../options";

/**
 * The application's resolver, 127.0.0.1:53/udp: the names of its declared callees and no other. Nothing is forwarded, so no DNS of an application
 * leaves its pod, and an undeclared name does not exist.
 *
 * @see https://www.envoyproxy.io/docs/envoy/latest/configuration/listeners/udp_filters/dns_filter
 */
export function dnsListener(mesh: Mesh, service: Service, options: EnvoyOptions): Message {
  const dialled = callsFrom(mesh, service).filter(({ edge }) => isDialled(edge));
  const callees = new Map(dialled.map((call) => [call.edge.to, answererOf(mesh, call)]));
  const domains = [...callees.values()].map((callee) => ({
    name: callee.hostname,
    answer_ttl: "60s",
    endpoint: { address_list: { address: [callee.address, ipv6Form(callee.address)] } },
  }));
  return any("envoy.config.listener.v3.Listener", {
    name: LISTENERS.dns,
    stat_prefix: LISTENERS.dns,
    address: socketAddress("127.0.0.1", 53, "UDP"),
    // Several workers can only share a UDP port by SO_REUSEPORT.
    enable_reuse_port: (options.concurrency ?? DEFAULT_CONCURRENCY) > 1,
    listener_filters: [
      extension("envoy.filters.udp.dns_filter", "envoy.extensions.filters.udp.dns_filter.v3.DnsFilterConfig", {
        stat_prefix: LISTENERS.dns,
        server_config: { inline_dns_table: { virtual_domains: domains } },
      }),
    ],
  });
}

/**
 * The same address as IPv6 writes it; sockets of either family reach it. Without it the filter answers NXDOMAIN to an AAAA query, and musl's resolver
 * (Alpine images), which asks for both, then takes the whole name for unknown.
 */
function ipv6Form(address: string): string {
  return `::ffff:${address}`;
}
