/** Calls that leave, at the gateway of their datacenter: it passes their TLS on, and ends none of it. */
import { isGateway, remoteService, zoneElsewhere } from "../../mesh/datacenters/calls";
import { serviceNamed } from "../../mesh/edges";
import type { Mesh, PeerDatacenter, Service } from "../../mesh/model";
import { peerZone } from "../../mesh/names";
import { compare } from "../../mesh/order";
import { DEFAULT_OUTLIER_DETECTION } from "../../mesh/traffic/defaults";
import { crossingServerName, GATEWAY, SIDECAR_PORTS } from "../../mesh/wire";
import { betweenSidecars, KEEPALIVE } from "../clusters";
import { alpnOf, TCP_IDLE_TIMEOUT } from "../http";
import { tokenForTunnel, TUNNEL_HEADER } from "../identity/identity-token";
import { clientTls } from "../identity/tls";
import { tlsListener } from "../listeners/tls-listener";
import { any, extension, socketAddress, type Message } from "../message";
import { LISTENERS, linkName } from "../names";
import { failedCalls, refusedConnections } from "../observability/access-log";
import { applicationBreakers, connectionLimit, outlierDetection } from "../traffic/limits";

/** Time to connect to another datacenter's gateway, TLS handshake included; a caller waits longer. */
const CONNECT_TIMEOUT = "2s";

/** Gateways that are tried for a call before its caller is told that none can be reached. */
const ATTEMPTS = 2;

/**
 * Port 15443 of a gateway: TLS of calls that leave, one filter chain for each datacenter that is called, with the server names of the calls that are declared. What is none of
 * these is closed, and so is what isn't TLS. Each connection goes on as an HTTP/2 CONNECT on the link, under its server name. Undefined where nothing leaves.
 *
 * @see https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/http/upgrades#tunneling-tcp-over-http
 */
export function departureListener(mesh: Mesh, service: Service): Message | undefined {
  const chains = calledPeers(mesh, service).flatMap((peer) => chain(mesh, service, peer));
  if (chains.length === 0) return undefined;
  return any("envoy.config.listener.v3.Listener", {
    ...tlsListener(LISTENERS.departure, GATEWAY.departurePort),
    access_log: [refusedConnections({ kind: "refused", direction: "departure", service: service.name })],
    filter_chains: chains,
  });
}

/** The gateways of the datacenters that are called, each as the callee of an edge: the link. */
export function linkClusters(mesh: Mesh, service: Service): Message[] {
  return calledPeers(mesh, service).map((peer) => linkCluster(mesh, service, peer));
}

/** Server names of the calls that leave for a datacenter. */
function departingNames(mesh: Mesh, datacenter: string): readonly string[] {
  const { own = "", departures = [] } = mesh.datacenters ?? {};
  const names = departures
    .filter(({ datacenters }) => datacenters.includes(datacenter))
    .map(({ edge }) =>
      crossingServerName(edge.port, edge.to, datacenter, peerZone(serviceNamed(mesh, edge.from).zone, own)),
    );
  return [...new Set(names)].sort(compare);
}

/** What a CONNECT on the link is for: the server name of the call, which the other gateway looks up. */
export function tunnelHost(serverName: string): string {
  return `${serverName}:${String(SIDECAR_PORTS.inbound)}`;
}

function calledPeers(mesh: Mesh, service: Service): readonly PeerDatacenter[] {
  if (!isGateway(mesh, service)) return [];
  return (mesh.datacenters?.peers ?? []).filter(({ isCalled }) => isCalled);
}

function chain(mesh: Mesh, service: Service, { name: datacenter }: PeerDatacenter): Message[] {
  const name = linkName(datacenter);
  const names = departingNames(mesh, datacenter);
  if (names.length === 0) return [];
  const subject = {
    kind: "link",
    direction: "outbound",
    service: service.name,
    datacenter,
    serverName: "%REQUESTED_SERVER_NAME%",
  };
  return [
    {
      name,
      filter_chain_match: { transport_protocol: "tls", server_names: names },
      filters: [
        connectionLimit(name, service.traffic),
        tokenForTunnel(),
        extension("envoy.filters.network.tcp_proxy", "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy", {
          stat_prefix: name,
          cluster: name,
          idle_timeout: TCP_IDLE_TIMEOUT,
          tunneling_config: { hostname: tunnelHost("%REQUESTED_SERVER_NAME%"), headers_to_add: [TUNNEL_HEADER] },
          max_connect_attempts: ATTEMPTS,
          access_log: [failedCalls(subject)],
        }),
      ],
    },
  ];
}

function linkCluster(mesh: Mesh, service: Service, peer: PeerDatacenter): Message {
  const name = linkName(peer.name);
  const gateway = remoteService(mesh, peer.name, service.name);
  const { addresses, port } = peer.gateway;
  const sni = crossingServerName(
    GATEWAY.link,
    gateway.name,
    peer.name,
    peerZone(service.zone, mesh.datacenters?.own ?? ""),
  );
  return {
    name,
    connect_timeout: CONNECT_TIMEOUT,
    type: "STATIC",
    lb_policy: "LEAST_REQUEST",
    load_assignment: {
      cluster_name: name,
      endpoints: [
        { lb_endpoints: addresses.map((address) => ({ endpoint: { address: socketAddress(address, port) } })) },
      ],
    },
    ...betweenSidecars({ protocol: "tcp" }),
    circuit_breakers: applicationBreakers("tcp", service.traffic),
    outlier_detection: outlierDetection({ outlierDetection: DEFAULT_OUTLIER_DETECTION }),
    upstream_connection_options: KEEPALIVE,
    transport_socket: clientTls(
      { zone: zoneElsewhere(gateway), identities: { exact: [gateway.identity] } },
      sni,
      alpnOf("tcp"),
    ),
  };
}
