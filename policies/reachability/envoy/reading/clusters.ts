import type { Field } from "../../../judgement/field";
import { requiredText } from "../../network/reading/fields";
import type { ArrivalWay, Callee } from "../model";
import { BALANCERS, PROTOCOL_OPTIONS, endpointsOf, known, spokenBy } from "./hosts";
import { must, only, portOfServerName, socketOf } from "./messages";
import { isOrdered } from "../../../envoy/clusters";
import { outsideText } from "../outside";
import { arrivalText } from "../passing";
import type { WayOutside } from "../outside";
import { isOutside, outsideOf } from "./outside";
import type { Owned } from "./owner";
import { peersOf } from "./tls";

/** Name of the cluster that reaches Envoy's own interface, and of what it reaches. */
export const ADMIN = "admin";

/** Where the clusters of the application's own ports lead, and the bootstrap's one to Envoy itself. @throws Unjudgeable */
export function targetsOf(clusters: readonly Field[], outside: readonly WayOutside[]): Map<string, string> {
  const targets = new Map([[ADMIN, ADMIN], ...outside.map((way) => [way.cluster, outsideText(way)] as const)]);
  for (const cluster of clusters) {
    const name = requiredText(cluster.at("name"));
    if (name.startsWith("arrival|")) targets.set(name, arrivalText(byName(cluster)));
    if (!name.startsWith("application|") || targets.has(name)) continue;
    const [endpoint, ...others] = endpointsOf(cluster);
    must(endpoint !== undefined && others.length === 0, cluster, "the application is not one endpoint", "keep one");
    must(cluster.at("lb_policy").isAbsent, cluster.at("lb_policy"), "one endpoint needs no choice", "take it out");
    targets.set(name, `${endpoint?.address ?? ""}:${endpoint?.port ?? 0}${spokenTo(cluster)}`);
  }
  return targets;
}

/** The clusters of a service's own ports that lead out of the cluster, where the service is outside. @throws Unjudgeable */
export function waysOutside(clusters: readonly Field[], title: string): WayOutside[] {
  return clusters
    .filter((cluster) => requiredText(cluster.at("name")).startsWith("application|") && isOutside(cluster))
    .map((cluster) => outsideOf(cluster, title));
}

/** How the application is spoken to, where it isn't by HTTP/1.1 or plainly. */
function spokenTo(cluster: Field): string {
  return spokenBy(cluster) === "HTTP/2" ? " by HTTP/2" : "";
}

/** The clusters by which a gateway passes on what comes from others. @throws Unjudgeable */
export function arrivalsOf(clusters: readonly Field[], title: string): ArrivalWay[] {
  return clusters
    .filter((cluster) => requiredText(cluster.at("name")).startsWith("arrival|"))
    .map((cluster) => ({ place: { object: title, path: cluster.path }, ...byName(cluster) }));
}

/** The clusters that a cluster tries, in their order; itself where it stands above none. The form has proven that they are the call's own. */
export function orderOf(clusters: readonly Field[]): (name: string) => readonly string[] {
  const ordered = new Map(
    clusters
      .filter(isOrdered)
      .map((cluster) => [
        requiredText(cluster.at("name")),
        cluster.at("cluster_type", "typed_config", "clusters").texts(),
      ]),
  );
  return (name) => ordered.get(name) ?? [name];
}

/** The clusters that leave the pod by mutual TLS of its own. @param asked those that the sidecar itself asks about callers @throws Unjudgeable */
export function calleesOf(
  clusters: readonly Field[],
  asked: ReadonlySet<string>,
  { title, datacenter }: Owned,
): Callee[] {
  return clusters.flatMap((cluster): Callee[] => {
    const name = requiredText(cluster.at("name"));
    if (/^(application|arrival)\|/.test(name) || isOrdered(cluster)) return [];
    const tls = cluster.at("transport_socket", "typed_config");
    const { zone, parties, alpn } = peersOf(cluster.at("transport_socket"), datacenter);
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
        ...placeOf(name, cluster),
      },
    ];
  });
}

function placeOf(name: string, cluster: Field): Pick<Callee, "lookedUp" | "dialled" | "resolver"> {
  if (name.startsWith("scrape|")) return originalDestination(cluster);
  return name.startsWith("link|") ? atAddresses(cluster) : byName(cluster);
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

/** The hosts of a cluster, which are told by literal addresses. @throws Unjudgeable */
function atAddresses(cluster: Field): Pick<Callee, "lookedUp" | "dialled" | "resolver"> {
  must(
    cluster.at("type").is("STATIC") &&
      cluster.at("cluster_type").isAbsent &&
      cluster.at("lb_policy").isOneOf(BALANCERS),
    cluster,
    "where another datacenter's gateway is isn't told by its addresses",
    "make the cluster STATIC",
  );
  return { ...atOnePort(cluster), resolver: undefined };
}

/** @throws Unjudgeable */
function atOnePort(cluster: Field): Pick<Callee, "lookedUp" | "dialled"> {
  const endpoints = endpointsOf(cluster);
  const [first, ...others] = endpoints;
  must(
    first !== undefined && others.every(({ port }) => port === first.port),
    cluster,
    "the callee's pods are dialled at several ports",
    "dial one",
  );
  return { lookedUp: endpoints.map(({ address }) => address), dialled: first?.port ?? 0 };
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
  return { ...atOnePort(cluster), resolver: `${resolver.address}:${resolver.port}` };
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
