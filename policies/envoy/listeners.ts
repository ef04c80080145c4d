import { CALL_PORT, ceilingAllows } from "../ceiling/edges";
import { isGateway, linkTo } from "../ceiling/links";
import type { Field } from "../judgement/field";
import { checkConnectionManager } from "./http";
import type { Destinations } from "./http";
import { checkPassed } from "./links";
import { arrivalsOf, formOf } from "./listener-forms";
import type { ListenerForm } from "./listener-forms";
import { checkRbac } from "./rbac";
import { datacenterOf, isElsewhere, type Scope } from "./scope";
import { checkMark, closedKeys, extensionOf, isType } from "./shape";
import { checkNotesPeerUris } from "./single-identity";
import { checkTunnel, checkTunnelToken } from "./token";
import { checkServerTls } from "./tls";
import type { AcceptedPeers } from "./tls";
import { checkConnectionLimit } from "./traffic";

const LISTENER_KEYS = [
  "@type",
  "name",
  "stat_prefix",
  "address",
  "traffic_direction",
  "enable_reuse_port",
  "per_connection_buffer_limit_bytes",
  "listener_filters_timeout",
  "listener_filters",
  "access_log",
  "filter_chains",
  "ignore_global_conn_limit",
  "tcp_backlog_size",
];

/** Times that a connection may be tried: once, ten times again, and where it may go to another datacenter ten times more. */
const MOST_ATTEMPTS = 21;

/** Checks `listeners.yaml` against the table of listeners. */
export function checkListeners(file: Field, scope: Scope): void {
  closedKeys(file, ["version_info", "resources"], scope.findings);
  const seen = new Set<string>();
  for (const listener of file.at("resources").items()) {
    if (!isType(listener, "envoy.config.listener.v3.Listener")) {
      scope.findings.add(listener.at("@type"), "the resource is no listener", "take it out");
      continue;
    }
    const name = listener.at("name").text() ?? "";
    const form = formOf(name);
    if (form === undefined) {
      scope.findings.add(
        listener.at("name"),
        `no listener \`${name}\` belongs to a sidecar`,
        "take it out, or model it in policies/envoy/listener-forms.ts",
      );
      continue;
    }
    scope.findings.require(
      !seen.has(name),
      listener.at("name"),
      `the listener \`${name}\` stands there twice`,
      "keep one",
    );
    seen.add(name);
    checkListener(listener, name, form, scope);
  }
}

function checkListener(listener: Field, name: string, form: ListenerForm, scope: Scope): void {
  const { findings } = scope;
  // Kubelet, operators and Prometheus are answered when callers are not; a listener that callers reach has the limits.
  closedKeys(
    listener,
    form.operational === true ? [...LISTENER_KEYS, "bypass_overload_manager"] : LISTENER_KEYS,
    findings,
  );
  checkAddress(listener, name, form, scope);
  findings.require(
    // Several workers share a UDP port by SO_REUSEPORT alone; only the pod's own processes could take a share of it.
    listener.at("enable_reuse_port").is(false) ||
      (form.protocol === "UDP" && listener.at("enable_reuse_port").is(true)),
    listener.at("enable_reuse_port"),
    "another process of the sidecar's user could bind the port too, and take a share of the connections",
    "set enable_reuse_port: false",
  );
  if (name === "dns") {
    checkDns(listener, scope);
    return;
  }
  const filters = listener
    .at("listener_filters")
    .items()
    .map((filter) => extensionOf(filter, ["envoy.filters.listener.tls_inspector"], findings));
  const mutual = form.callPort !== undefined;
  findings.require(
    !(mutual || form.passes === true) ||
      filters.some((filter) => filter?.name === "envoy.filters.listener.tls_inspector"),
    listener.at("listener_filters"),
    "no filter reads the server name, by which the caller's zone is told",
    "add envoy.filters.listener.tls_inspector",
  );
  const chains = listener.at("filter_chains").items();
  findings.require(
    chains.length > 0,
    listener.at("filter_chains"),
    "the listener has no filter chain",
    "take the listener out",
  );
  for (const chain of chains) {
    closedKeys(
      chain,
      ["name", "filter_chain_match", "transport_socket", "transport_socket_connect_timeout", "filters", "metadata"],
      findings,
    );
    checkMark(chain.at("metadata"), findings);
    const peers = mutual ? checkMutual(chain, name, form.callPort ?? "", scope) : undefined;
    if (form.passes === true) checkPassed(chain, scope);
    if (!mutual)
      findings.require(
        chain.at("transport_socket").isAbsent,
        chain.at("transport_socket"),
        form.passes === true ? "the gateway ends TLS that isn't its own" : "a listener of the pod itself has TLS",
        "take it out",
      );
    checkChainFilters(chain.at("filters"), peers, peers === undefined ? form : ofChain(form, peers, scope), scope);
  }
}

/** A gateway passes on what comes from another, to those who may be called from there, and has no application to which anything could go. */
function ofChain(form: ListenerForm, { zone: from }: AcceptedPeers, { zone, service, ceiling }: Scope): ListenerForm {
  const isLink = form.callPort === CALL_PORT && isElsewhere(from) && isGateway(`${zone}/${service}`, ceiling);
  if (!isLink) return form;
  const callees = (linkTo(datacenterOf(from), ceiling)?.exports ?? []).map((party) => party.split("/")[1] ?? "");
  return { ...form, destinations: arrivalsOf(callees) };
}

function checkAddress(listener: Field, name: string, form: ListenerForm, { findings }: Scope): void {
  closedKeys(listener.at("address"), ["socket_address"], findings);
  const socket = listener.at("address", "socket_address");
  closedKeys(socket, ["address", "port_value", "protocol"], findings);
  const address = socket.at("address").text() ?? "";
  const bound = form.bind === "*" ? address === "0.0.0.0" : /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(address);
  findings.require(
    bound,
    socket.at("address"),
    form.bind === "*"
      ? "the listener is not bound to the pod's address"
      : `the listener takes plain text at ${socket.at("address").shown()}`,
    form.bind === "*" ? "bind it to 0.0.0.0" : "bind it to loopback: what leaves the pod is behind mutual TLS",
  );
  const port = socket.at("port_value").number();
  findings.require(
    port !== undefined && (form.port === undefined ? ![15001, 15021, 15090].includes(port) : port === form.port),
    socket.at("port_value"),
    `the listener \`${name}\` is on port ${socket.at("port_value").shown()}`,
    form.port === undefined ? "take a port that is none of the sidecar's own" : `its port is ${String(form.port)}`,
  );
  const protocol = socket.at("protocol");
  findings.require(
    form.protocol === "UDP" ? protocol.is("UDP") : protocol.isAbsentOr("TCP"),
    protocol,
    `the listener \`${name}\` speaks ${protocol.shown()}`,
    `its protocol is ${form.protocol}`,
  );
}

/** One chain of a listener with mutual TLS: a server name of this service, the roots of that name's zone alone, callers whom the ceiling lets in. */
function checkMutual(chain: Field, listener: string, callPort: string, scope: Scope): AcceptedPeers | undefined {
  const { findings, zone, service, ceiling } = scope;
  const match = chain.at("filter_chain_match");
  closedKeys(match, ["transport_protocol", "server_names"], findings);
  findings.require(
    match.at("transport_protocol").is("tls"),
    match,
    "the chain is chosen for plain text too",
    "match transport_protocol: tls",
  );
  const peers = checkServerTls(chain.at("transport_socket"), scope);
  const names = match.at("server_names").texts();
  const callee =
    peers !== undefined && isElsewhere(peers.zone) ? `${service}.${ceiling.datacenter?.name ?? ""}` : service;
  const own = listener === "inspection" ? "inspection" : `[a-z0-9-]+\\.${literally(callee)}`;
  const expected = new RegExp(`^${own}\\.${peers === undefined ? "[a-z]+" : literally(peers.zone)}$`);
  findings.require(
    names.length > 0 && names.every((name) => expected.test(name)),
    match.at("server_names"),
    "the chain's server name is not one of this service and of the zone whose roots it trusts",
    `name it ${listener === "inspection" ? "inspection" : `<port>.${callee}`}.${peers?.zone ?? "<caller zone>"}`,
  );
  for (const party of peers?.parties ?? []) {
    findings.require(
      ceilingAllows(party, `${zone}/${service}`, callPort, "ingress", ceiling),
      chain.at("transport_socket"),
      `it lets ${party} reach ${zone}/${service} on ${callPort}, an edge that the ceiling does not allow`,
      "take the identity out, or have the ceiling's owner allow the edge with a reason",
    );
  }
  return peers;
}

/** A name as a regular expression. */
function literally(name: string): string {
  return name.replaceAll(".", "\\.");
}

function checkChainFilters(list: Field, peers: AcceptedPeers | undefined, form: ListenerForm, scope: Scope): void {
  const { findings } = scope;
  const mutual = form.callPort !== undefined;
  const allowed = ["connection_limit", "rbac", "set_filter_state", "tcp_proxy", "http_connection_manager"];
  let authorized = !mutual;
  let presents = false;
  let notesUris = !mutual;
  let ends = 0;
  let bounded = !form.bounded;
  for (const item of list.items()) {
    const filter = extensionOf(
      item,
      allowed.map((name) => `envoy.filters.network.${name}`),
      findings,
    );
    if (filter?.name === "envoy.filters.network.connection_limit") {
      checkConnectionLimit(filter.config, scope);
      bounded ||= ends === 0;
    } else if (filter?.name === "envoy.filters.network.rbac") {
      checkRbac(filter.config, peers, scope);
      authorized = true;
    } else if (filter?.name === "envoy.filters.network.http_connection_manager") {
      const destinations = destinationsOf(form, peers);
      checkConnectionManager(filter.config, peers, destinations, { authorized, mutual }, scope);
      ends += 1;
    } else if (filter?.name === "envoy.filters.network.set_filter_state") {
      if (mutual) {
        checkNotesPeerUris(filter.config, scope);
        notesUris ||= ends === 0;
      } else {
        checkTunnelToken(filter.config, scope);
        presents = true;
      }
    } else if (filter?.name === "envoy.filters.network.tcp_proxy") {
      findings.require(
        presents || !filter.config.has("tunneling_config"),
        item,
        "the tunnel leaves without the sidecar's identity token",
        "put the filter that takes it before the proxy",
      );
      findings.require(
        authorized,
        item,
        "no RBAC filter stands before the connection goes on",
        "put one first that names each caller",
      );
      checkTcpProxy(filter.config, form, scope);
      ends += 1;
    }
  }
  findings.require(
    notesUris,
    list,
    "nothing keeps all names of the peer's certificate, so one with a second identity could not be told",
    "put envoy.filters.network.set_filter_state with %DOWNSTREAM_PEER_URI_SAN% before the proxy",
  );
  findings.require(
    bounded,
    list,
    "no connection limit stands before the callers of this chain",
    "put envoy.filters.network.connection_limit first",
  );
  findings.require(ends === 1, list, "the chain does not end in exactly one HTTP or TCP proxy", "give it one, last");
}

/** Where requests of a chain's peers may go: the same for all of them, or there where every one of them may. */
function destinationsOf({ readers, destinations }: ListenerForm, peers: AcceptedPeers | undefined): Destinations {
  if (readers === undefined) return destinations;
  const [only, ...others] = new Set((peers?.parties ?? []).map((party) => party.split("/")[1] ?? ""));
  const isOne = only !== undefined && others.length === 0 && Object.hasOwn(readers, only);
  return (isOne ? readers[only] : undefined) ?? destinations;
}

function checkTcpProxy(proxy: Field, { callPort, passes, destinations }: ListenerForm, scope: Scope): void {
  const { findings } = scope;
  // A connection of the pod's own application travels to its callee as an HTTP/2 CONNECT; what comes from outside is tunnelled nowhere.
  const tunnels = callPort === undefined;
  closedKeys(
    proxy,
    [
      "@type",
      "stat_prefix",
      "cluster",
      "weighted_clusters",
      "metadata_match",
      "idle_timeout",
      "max_downstream_connection_duration",
      "upstream_connect_mode",
      "max_early_data_bytes",
      "max_connect_attempts",
      "backoff_options",
      "access_log",
      ...(tunnels ? ["tunneling_config"] : []),
    ],
    findings,
  );
  const attempts = proxy.at("max_connect_attempts");
  findings.require(
    attempts.isAbsent || ((attempts.number() ?? 0) >= 1 && (attempts.number() ?? 0) <= MOST_ATTEMPTS),
    attempts,
    "a connection is tried without a bound, or never",
    `set max_connect_attempts from 1 to ${String(MOST_ATTEMPTS)}`,
  );
  closedKeys(proxy.at("backoff_options"), ["base_interval", "max_interval"], findings);
  if (tunnels && proxy.has("tunneling_config")) checkTunnel(proxy.at("tunneling_config"), passes === true, scope);
  closedKeys(proxy.at("weighted_clusters"), ["clusters"], findings);
  const weighted = proxy.at("weighted_clusters", "clusters").items();
  for (const cluster of weighted) closedKeys(cluster, ["name", "weight", "metadata_match"], findings);
  const clusters = weighted.length === 0 ? [proxy.at("cluster")] : weighted.map((cluster) => cluster.at("name"));
  for (const cluster of clusters) {
    const name = cluster.text() ?? "";
    findings.require(
      destinations.allows(name),
      cluster,
      `connections go on to \`${name}\`, which is not behind this listener`,
      "send them where the listener belongs",
    );
  }
}

/** The application's resolver answers from its own table and asks nobody. */
function checkDns(listener: Field, { findings }: Scope): void {
  findings.require(
    !listener.has("filter_chains"),
    listener.at("filter_chains"),
    "a resolver has no filter chain",
    "take it out",
  );
  const filters = listener.at("listener_filters").items();
  findings.require(
    filters.length === 1,
    listener.at("listener_filters"),
    "the resolver is not one DNS filter",
    "keep one",
  );
  for (const item of filters) {
    const filter = extensionOf(item, ["envoy.filters.udp.dns_filter"], findings);
    if (filter === undefined) continue;
    closedKeys(filter.config, ["@type", "stat_prefix", "server_config", "access_log"], findings);
    closedKeys(filter.config.at("server_config"), ["inline_dns_table"], findings);
    closedKeys(filter.config.at("server_config", "inline_dns_table"), ["virtual_domains"], findings);
  }
}
