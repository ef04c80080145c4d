/** Calls that arrive from other datacenters, at the gateway: from the declared gateways alone, and on to callees that prove the caller themselves. */
import { isGateway, remoteService, zoneElsewhere } from "../../mesh/datacenters/calls";
import { serviceNamed } from "../../mesh/edges";
import type { Arrival, Mesh, PeerDatacenter, Service } from "../../mesh/model";
import { compare } from "../../mesh/order";
import { DEFAULT_OUTLIER_DETECTION } from "../../mesh/traffic/defaults";
import { crossingServerName, GATEWAY, SIDECAR_PORTS } from "../../mesh/wire";
import { httpRbac } from "../authorization/rbac";
import { CONNECT_TIMEOUT, KEEPALIVE, lookedUp } from "../clusters";
import { alpnOf, connectionManager, MAX_PEER_CONNECTION, TCP_IDLE_TIMEOUT, upgradeOf } from "../http";
import { checkToken } from "../identity/identity-token";
import { notePeerUris } from "../identity/single-identity";
import { serverTls } from "../identity/tls";
import { socketAddress, type Message } from "../message";
import { arrivalName, inboundName } from "../names";
import { inboundRequests } from "../observability/access-log";
import type { EnvoyOptions } from "../options";
import { applicationBreakers, connectionLimit, outlierDetection } from "../traffic/limits";
import { tunnelHost } from "./departure";

/**
 * Filter chains of a gateway at port 15001: one for each datacenter whose calls arrive, for its gateway alone. What is asked is a CONNECT to the server name of a declared
 * call, and leads to its callee; there is no other way in.
 */
export function linkChains(mesh: Mesh, service: Service): Message[] {
  if (!isGateway(mesh, service)) return [];
  return (mesh.datacenters?.peers ?? []).filter(({ calls }) => calls).flatMap((peer) => linkChain(mesh, service, peer));
}

/** Services here that are called from elsewhere, as the gateway passes calls on to them: bytes of their callers' TLS, which it doesn't end. */
export function arrivalClusters(mesh: Mesh, service: Service, options: EnvoyOptions): Message[] {
  if (!isGateway(mesh, service)) return [];
  const callees = new Set((mesh.datacenters?.arrivals ?? []).map(({ edge }) => edge.to));
  return [...callees].sort(compare).map((callee) => arrivalCluster(serviceNamed(mesh, callee), options));
}

function linkChain(mesh: Mesh, service: Service, { name: datacenter }: PeerDatacenter): Message[] {
  const { own = "", arrivals = [] } = mesh.datacenters ?? {};
  const routes = routesOf(
    mesh,
    own,
    arrivals.filter((arrival) => arrival.datacenter === datacenter),
  );
  if (routes.length === 0) return [];
  const gateway = remoteService(mesh, datacenter, service.name);
  const zone = zoneElsewhere(gateway);
  const sni = crossingServerName(GATEWAY.link, service.name, own, zone);
  const name = inboundName(GATEWAY.link, zone);
  return [
    {
      name,
      filter_chain_match: { transport_protocol: "tls", server_names: [sni] },
      transport_socket: serverTls({ zone, identities: { exact: [gateway.identity] } }, alpnOf("tcp")),
      transport_socket_connect_timeout: "5s",
      filters: [
        connectionLimit(name, service.traffic),
        notePeerUris(),
        connectionManager({
          statPrefix: name,
          upgrade: upgradeOf("tcp"),
          maxConnectionDuration: MAX_PEER_CONNECTION,
          accessLog: [inboundRequests({ kind: "link", direction: "inbound", service: service.name, datacenter })],
          filters: [checkToken(datacenter), httpRbac(sni, [{ caller: gateway, rules: [] }])],
          routes,
          overrides: { forward_client_cert_details: "SANITIZE", stream_idle_timeout: TCP_IDLE_TIMEOUT },
        }),
      ],
    },
  ];
}

/** One route for each server name that calls of a datacenter have. */
function routesOf(mesh: Mesh, own: string, arrivals: readonly Arrival[]): Message[] {
  const callees = new Map(
    arrivals.map(({ edge, datacenter }) => {
      const zone = zoneElsewhere(remoteService(mesh, datacenter, edge.from));
      return [crossingServerName(edge.port, edge.to, own, zone), edge.to] as const;
    }),
  );
  return [...callees]
    .sort(([one], [other]) => compare(one, other))
    .map(([name, callee]) => ({
      match: {
        connect_matcher: {},
        headers: [{ name: ":authority", string_match: { exact: tunnelHost(name) } }],
      },
      route: {
        cluster: arrivalName(callee),
        timeout: "0s",
        upgrade_configs: [{ upgrade_type: "CONNECT", connect_config: {} }],
      },
    }));
}

function arrivalCluster(callee: Service, options: EnvoyOptions): Message {
  const name = arrivalName(callee.name);
  return {
    name,
    connect_timeout: CONNECT_TIMEOUT,
    cluster_type: lookedUp(options),
    lb_policy: "LEAST_REQUEST",
    load_assignment: {
      cluster_name: name,
      endpoints: [
        { lb_endpoints: [{ endpoint: { address: socketAddress(callee.discoveryName, SIDECAR_PORTS.inbound) } }] },
      ],
    },
    circuit_breakers: applicationBreakers("tcp", callee.traffic),
    outlier_detection: outlierDetection({ outlierDetection: DEFAULT_OUTLIER_DETECTION }),
    upstream_connection_options: KEEPALIVE,
  };
}
