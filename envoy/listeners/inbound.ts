import { arrivalsTo, remoteService, zoneElsewhere } from "../../mesh/datacenters/calls";
import { edgesTo, serviceNamed } from "../../mesh/edges";
import { grouped } from "../../mesh/grouped";
import type { Edge, Mesh, PeerZone, Service, ServicePort, ZoneName } from "../../mesh/model";
import { ZONES } from "../../mesh/model";
import { crossingServerName, serverName, SIDECAR_PORTS } from "../../mesh/wire";
import { inboundRequests, refusedConnections, UPSTREAM_FIELDS } from "../observability/access-log";
import { END_USER_FIELDS, endUserFilters } from "../authorization/end-users";
import { AUTHENTICATOR_FIELDS, authenticatorFilters } from "../authorization/ext-authz";
import { linkChains } from "../datacenters/arrival";
import { externalHost, externalOf, INTERNAL_HEADERS } from "../external";
import { alpnOf, connectionManager, GRPC_STATS, MAX_PEER_CONNECTION, TCP_IDLE_TIMEOUT, upgradeOf } from "../http";
import { checkToken } from "../identity/identity-token";
import { connectionLimit } from "../traffic/limits";
import { any, type Message } from "../message";
import { applicationName, inboundName, LISTENERS } from "../names";
import type { EnvoyOptions } from "../options";
import { callerRateLimit, type CallerLimit } from "../traffic/rate-limit";
import { httpRbac, type Grant } from "../authorization/rbac";
import { notePeerUris } from "../identity/single-identity";
import { serverTls } from "../identity/tls";
import { tlsListener } from "./tls-listener";
import { CALLER_TAG, operation, tracing } from "../observability/tracing";

/**
 * Port 15001: calls of other services. One filter chain for each caller zone, of each datacenter, and service port that has callers, chosen by server name and trusting
 * that zone's roots alone; a connection that fits none is closed. Of a gateway: one for each datacenter whose calls arrive. Undefined where nobody may call.
 */
export function inboundListener(mesh: Mesh, service: Service, options: EnvoyOptions): Message | undefined {
  const chains = service.ports
    .flatMap((port) => [
      ...ZONES.map((zone): Chain => ({ port, zone, grants: grantsOf(mesh, service, port, zone) })),
      ...arrivingChains(mesh, service, port),
    ])
    .filter(({ grants }) => grants.length > 0)
    .map((each) => chain(mesh, service, options, each));
  return inboundOf(service, [...chains, ...linkChains(mesh, service)]);
}

function inboundOf(service: Service, chains: readonly Message[]): Message | undefined {
  if (chains.length === 0) {
    return undefined;
  }
  return any("envoy.config.listener.v3.Listener", {
    ...tlsListener(LISTENERS.inbound, SIDECAR_PORTS.inbound),
    access_log: [refusedConnections({ kind: "refused", direction: "inbound", service: service.name })],
    filter_chains: chains,
  });
}

interface Chain {
  readonly port: ServicePort;
  readonly zone: PeerZone;
  /** Of callers elsewhere. */
  readonly datacenter?: string;
  readonly grants: readonly Caller[];
}

/** Somebody who may call, with the edge that says so. */
interface Caller extends Grant {
  readonly edge: Edge;
}

function chain(
  mesh: Mesh,
  service: Service,
  options: EnvoyOptions,
  { port, zone, datacenter, grants }: Chain,
): Message {
  const own = mesh.datacenters?.own;
  const sni =
    datacenter === undefined || own === undefined
      ? serverName(port.name, service.name, zone)
      : crossingServerName(port.name, service.name, own, zone);
  const name = inboundName(port.name, zone);
  const peers = { zone, identities: { exact: grants.map((grant) => grant.caller.identity) } };
  return {
    name,
    filter_chain_match: { transport_protocol: "tls", server_names: [sni] },
    transport_socket: serverTls(peers, alpnOf(port.protocol)),
    transport_socket_connect_timeout: "5s",
    filters: [
      connectionLimit(name, service.traffic),
      notePeerUris(),
      filter(mesh, service, options, { name, sni, port, datacenter, grants }),
    ],
  };
}

interface Filter {
  readonly name: string;
  readonly sni: string;
  readonly port: ServicePort;
  readonly datacenter: string | undefined;
  readonly grants: readonly Caller[];
}

/**
 * Every protocol ends in HTTP, TCP as well: it comes as an HTTP/2 CONNECT, so that its caller is authorized like any other before a byte flows. (The
 * network RBAC filter judges the caller's first bytes only, and an application that speaks first has spoken by then.)
 */
function filter(
  mesh: Mesh,
  service: Service,
  options: EnvoyOptions,
  { name, sni, port, datacenter, grants }: Filter,
): Message {
  const trace = tracing(mesh, service, options);
  const limits = grants.flatMap(({ caller: { identity }, edge: { traffic } }): CallerLimit[] =>
    traffic.rateLimit === undefined ? [] : [{ identity, limit: traffic.rateLimit }],
  );
  const subject = { kind: "call", direction: "inbound", service: service.name, port: port.name };
  const external = externalOf(service);
  const further = {
    ...(external === undefined ? {} : UPSTREAM_FIELDS),
    ...(port.endUsers === undefined ? {} : END_USER_FIELDS),
    ...(port.asksAuthenticator === true ? AUTHENTICATOR_FIELDS : {}),
  };
  return connectionManager({
    statPrefix: name,
    upgrade: upgradeOf(port.protocol),
    maxConnectionDuration: MAX_PEER_CONNECTION,
    accessLog: [inboundRequests(subject, further)],
    tracing: trace === undefined ? undefined : withCaller(trace),
    filters: [
      checkToken(datacenter),
      httpRbac(sni, grants),
      ...(limits.length === 0 ? [] : [callerRateLimit(name, port.protocol, limits)]),
      ...endUserFilters(sni, port),
      ...authenticatorFilters(mesh, port),
      ...(port.protocol === "grpc" ? [GRPC_STATS] : []),
    ],
    withheld: external === undefined ? [] : INTERNAL_HEADERS,
    routes: [{ ...target(port, externalHost(port, external)), ...operation(`serve ${port.name}`) }],
    overrides: {
      // Who calls is the mesh's own matter, and not to be told outside of it.
      ...(external === undefined
        ? { forward_client_cert_details: "SANITIZE_SET", set_current_client_cert_details: { uri: true } }
        : { forward_client_cert_details: "SANITIZE" }),
      ...(port.protocol === "tcp" ? { stream_idle_timeout: TCP_IDLE_TIMEOUT } : {}),
    },
  });
}

/** How long a call may take is the caller's choice: its own sidecar bounds it and resets the stream. */
function target(port: ServicePort, host: Message): Message {
  const route = { cluster: applicationName(port.name), timeout: "0s", ...host };
  return port.protocol === "tcp"
    ? {
        match: { connect_matcher: {} },
        route: { ...route, upgrade_configs: [{ upgrade_type: "CONNECT", connect_config: {} }] },
      }
    : { match: { prefix: "/" }, route };
}

function grantsOf(mesh: Mesh, service: Service, port: ServicePort, zone: ZoneName): Caller[] {
  return edgesTo(mesh, service)
    .filter((edge) => edge.port === port.name)
    .map((edge) => ({ edge, caller: serviceNamed(mesh, edge.from) }))
    .filter(({ caller }) => caller.zone === zone)
    .map(({ edge, caller }) => grantOf(edge, caller));
}

function grantOf(edge: Edge, caller: Service): Caller {
  return { caller, rules: edge.rules, ...(edge.until === undefined ? {} : { until: edge.until }), edge };
}

/** Callers elsewhere: a chain for each zone of each datacenter. */
function arrivingChains(mesh: Mesh, service: Service, port: ServicePort): Chain[] {
  const callers = arrivalsTo(mesh, service)
    .filter(({ edge }) => edge.port === port.name)
    .map(({ edge, datacenter }) => ({ edge, caller: remoteService(mesh, datacenter, edge.from) }));
  return [...grouped(callers, ({ caller }) => zoneElsewhere(caller)).values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const { caller } = first;
    const grants = group.map(({ edge, caller: each }) => grantOf(edge, each));
    return [{ port, zone: zoneElsewhere(caller), datacenter: caller.datacenter, grants }];
  });
}

function withCaller(trace: Message): Message {
  const tags = Array.isArray(trace.custom_tags) ? (trace.custom_tags as Message[]) : [];
  return { ...trace, custom_tags: [...tags, CALLER_TAG] };
}
