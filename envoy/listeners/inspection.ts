import { inspectorsOf } from "../../mesh/edges";
import type { Mesh, Service } from "../../mesh/model";
import { INSPECTED_PATHS, SCRAPED_PATHS, SIDECAR_PORTS, WELL_KNOWN } from "../../mesh/wire";
import { metricsTarget } from "../clusters";
import { inboundRequests, refusedConnections, refusedRequests } from "../observability/access-log";
import { connectionManager, getRoute, MAX_PEER_CONNECTION, NOT_FOUND } from "../http";
import { checkToken } from "../identity/identity-token";
import { tlsListener } from "./tls-listener";
import { any, type Message } from "../message";
import { ADMIN_CLUSTER, inspectionServerName, LISTENERS } from "../names";
import { httpRbac } from "../authorization/rbac";
import { notePeerUris } from "../identity/single-identity";
import { serverTls } from "../identity/tls";

/** Who may read what of a sidecar's admin interface from outside. */
const PATHS: Readonly<Record<string, readonly string[]>> = {
  [WELL_KNOWN.prometheus]: [SCRAPED_PATHS.sidecar],
  [WELL_KNOWN.controller]: Object.values(INSPECTED_PATHS),
};

/** What a service may read of the admin interface of every sidecar; nothing where it inspects none. */
export function inspectedPaths({ name, revoked }: Service): readonly string[] {
  return revoked === undefined && Object.hasOwn(PATHS, name) ? (PATHS[name] ?? []) : [];
}

/**
 * Port 15090: Prometheus reads metrics, Envoy's and those that the application tells by itself, the controller by which files the sidecar runs and which
 * certificates it serves. Mutual TLS as for calls, one chain per reader. Undefined where nobody reads.
 */
export function inspectionListener(mesh: Mesh, service: Service): Message | undefined {
  const chains = inspectorsOf(mesh, service).map((reader) => chain(service, reader));
  if (chains.length === 0) {
    return undefined;
  }
  return any("envoy.config.listener.v3.Listener", {
    ...tlsListener(LISTENERS.inspection, SIDECAR_PORTS.inspection),
    // A flood of calls must not blind those who look for it.
    ignore_global_conn_limit: true,
    bypass_overload_manager: true,
    access_log: [refusedConnections({ kind: "refused", direction: "inspection", service: service.name })],
    filter_chains: chains,
  });
}

function chain(service: Service, reader: Service): Message {
  const sni = inspectionServerName(reader.zone);
  const name = `${LISTENERS.inspection}|${reader.name}`;
  const subject = { kind: "inspection", direction: "inbound", service: service.name };
  const routes = routesFor(service, reader);
  return {
    name,
    filter_chain_match: { transport_protocol: "tls", server_names: [sni] },
    transport_socket: serverTls({ zone: reader.zone, identities: { exact: [reader.identity] } }, ["http/1.1"]),
    transport_socket_connect_timeout: "5s",
    filters: [
      notePeerUris(),
      connectionManager({
        statPrefix: name,
        maxConnectionDuration: MAX_PEER_CONNECTION,
        // The controller asks every few seconds: its questions would be most of what the records hold.
        accessLog: [reader.name === WELL_KNOWN.controller ? refusedRequests(subject) : inboundRequests(subject)],
        filters: [
          checkToken(),
          httpRbac(sni, [{ caller: reader, rules: [{ methods: ["GET"], paths: routes.map(({ path }) => path) }] }]),
        ],
        routes: [...routes.map(({ path, action }) => getRoute(path, action)), NOT_FOUND],
        overrides: { forward_client_cert_details: "SANITIZE" },
      }),
    ],
  };
}

/** What a reader may ask for, each by its exact path, and where that goes. */
function routesFor(service: Service, reader: Service): { readonly path: string; readonly action: Message }[] {
  const own = inspectedPaths(reader).map((path) => ({ path, action: { cluster: ADMIN_CLUSTER, timeout: "10s" } }));
  if (reader.name !== WELL_KNOWN.prometheus || service.metrics === undefined) return own;
  const cluster = metricsTarget(service, service.metrics).name;
  // Sooner than Prometheus gives up, so that it is told which of the two did not answer.
  const action = { cluster, timeout: "9s", prefix_rewrite: service.metrics.path };
  return [...own, { path: SCRAPED_PATHS.application, action }];
}
