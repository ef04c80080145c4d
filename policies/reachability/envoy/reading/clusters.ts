import type { Field } from "../../../judgement/field";
import { requiredText } from "../../network/reading/fields";
import type { Callee } from "../model";
import { must, only, portOfServerName, socketOf } from "./messages";
import { peersOf } from "./tls";

const PROTOCOL_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
const BALANCERS = ["LEAST_REQUEST", "ROUND_ROBIN", "RANDOM"];
/** Name of the cluster that reaches Envoy's own interface, and of what it reaches. */
export const ADMIN = "admin";

/** Where the clusters of the application's own ports lead, and the bootstrap's one to Envoy itself. @throws Unjudgeable */
export function targetsOf(clusters: readonly Field[]): Map<string, string> {
  const targets = new Map([[ADMIN, ADMIN]]);
  for (const cluster of clusters) {
    const name = requiredText(cluster.at("name"));
    if (!name.startsWith("application|")) continue;
    const [endpoint, ...others] = endpointsOf(cluster);
    must(endpoint !== undefined && others.length === 0, cluster, "the application is not one endpoint", "keep one");
    must(cluster.at("lb_policy").isAbsent, cluster.at("lb_policy"), "one endpoint needs no choice", "take it out");
    targets.set(name, `${endpoint?.address ?? ""}:${endpoint?.port ?? 0}${spokenTo(cluster)}`);
  }
  return targets;
}

/** How the application is spoken to, where it isn't by HTTP/1.1 or plainly. */
function spokenTo(cluster: Field): string {
  if (!cluster.has("typed_extension_protocol_options")) return "";
  const [kind, ...others] = cluster
    .at("typed_extension_protocol_options", PROTOCOL_OPTIONS, "explicit_http_config")
    .keys();
  must(others.length === 0 && kind !== undefined, cluster, "which HTTP the application is sent isn't told", "say one");
  if (kind === "http2_protocol_options") return " by HTTP/2";
  must(
    kind === "http_protocol_options",
    cluster,
    "which HTTP the application is sent isn't modelled",
    "take HTTP/1 or 2",
  );
  return "";
}

/** The clusters that leave the pod. @param asked those that the sidecar itself asks about callers @throws Unjudgeable */
export function calleesOf(clusters: readonly Field[], asked: ReadonlySet<string>, title: string): Callee[] {
  return clusters.flatMap((cluster): Callee[] => {
    const name = requiredText(cluster.at("name"));
    if (name.startsWith("application|")) return [];
    const tls = cluster.at("transport_socket", "typed_config");
    const { zone, parties, alpn } = peersOf(cluster.at("transport_socket"));
    const [party, ...others] = parties;
    must(
      party !== undefined && others.length === 0,
      cluster,
      "several identities are accepted",
      "name the callee alone",
    );
    checkHttp(cluster, alpn);
    return [
      {
        place: { object: title, path: cluster.path },
        cluster: name,
        party: party ?? "",
        zone,
        port: portOfServerName(tls.at("sni")),
        serverName: requiredText(tls.at("sni")),
        alpn,
        asked: asked.has(name),
        ...(name.startsWith("scrape|") ? originalDestination(cluster) : byName(cluster)),
      },
    ];
  });
}

/** What is spoken must be what was agreed on. */
function checkHttp(cluster: Field, alpn: readonly string[]): void {
  const config = cluster.at("typed_extension_protocol_options", PROTOCOL_OPTIONS, "explicit_http_config");
  const [kind, ...others] = config.keys();
  const spoken = alpn.join() === "h2" ? "http2_protocol_options" : "http_protocol_options";
  must(
    others.length === 0 && kind === spoken && alpn.length === 1,
    config,
    "another HTTP is spoken than TLS agrees on",
    "offer h2 for http2_protocol_options, http/1.1 for http_protocol_options",
  );
}

function byName(cluster: Field): Pick<Callee, "lookedUp" | "dialled" | "resolver"> {
  const type = cluster.at("cluster_type");
  const config = type.at("typed_config");
  known(type, ["name", "typed_config"]);
  must(
    cluster.at("type").isAbsent && type.at("name").is("envoy.clusters.dns"),
    type,
    "the callee isn't looked up by name",
    "take envoy.clusters.dns",
  );
  must(config.at("dns_lookup_family").is("V4_ONLY"), config, "pods' addresses are IPv4", "set V4_ONLY");
  must(
    cluster.at("lb_policy").isOneOf(BALANCERS),
    cluster,
    "how hosts are chosen isn't modelled",
    "take LEAST_REQUEST",
  );
  const resolving = config.at("typed_dns_resolver_config");
  known(resolving, ["name", "typed_config"]);
  known(resolving.at("typed_config", "dns_resolver_options"), ["no_default_search_domain"]);
  must(
    resolving.at("name").is("envoy.network.dns_resolver.cares") &&
      resolving.at("typed_config", "dns_resolver_options", "no_default_search_domain").is(true),
    resolving,
    "the name may be looked up as another one",
    "take envoy.network.dns_resolver.cares with no_default_search_domain",
  );
  const resolver = socketOf(only(resolving.at("typed_config", "resolvers"), "resolver"));
  const endpoints = endpointsOf(cluster);
  const [first, ...others] = endpoints;
  must(
    first !== undefined && others.every(({ port }) => port === first.port),
    cluster,
    "the callee's pods are dialled at several ports",
    "dial one",
  );
  return {
    lookedUp: endpoints.map(({ address }) => address),
    dialled: first?.port ?? 0,
    resolver: `${resolver.address}:${resolver.port}`,
  };
}

function originalDestination(cluster: Field): Pick<Callee, "lookedUp" | "dialled" | "resolver"> {
  const config = cluster.at("original_dst_lb_config");
  must(
    cluster.at("type").is("ORIGINAL_DST") &&
      cluster.at("lb_policy").is("CLUSTER_PROVIDED") &&
      config.keys().join() === "use_http_header,http_header_name,upstream_port_override" &&
      config.at("use_http_header").is(true) &&
      config.at("http_header_name").is(":authority") &&
      cluster.at("load_assignment").isAbsent,
    cluster,
    "where the request's own address leads isn't modelled",
    "take the address of :authority, at one port",
  );
  return { lookedUp: [], dialled: config.at("upstream_port_override").number() ?? 0, resolver: undefined };
}

function endpointsOf(cluster: Field) {
  const assignment = cluster.at("load_assignment");
  must(
    assignment.keys().join() === "cluster_name,endpoints" &&
      assignment.at("cluster_name").is(cluster.at("name").text() ?? ""),
    assignment,
    "the endpoints aren't the cluster's own",
    "give cluster_name and endpoints",
  );
  return assignment
    .at("endpoints")
    .items()
    .flatMap((locality) => {
      known(locality, ["lb_endpoints", "priority"]);
      return locality.at("lb_endpoints").items();
    })
    .map((host) => {
      known(host, ["endpoint", "metadata"]);
      known(host.at("endpoint"), ["address"]);
      return socketOf(host.at("endpoint", "address"));
    });
}

function known(field: Field, keys: readonly string[]): void {
  must(
    field.keys().every((key) => keys.includes(key)),
    field,
    "has a field that isn't modelled",
    `give ${keys.join(", ")} alone`,
  );
}
