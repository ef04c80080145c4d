import type { Field } from "../../../judgement/field";
import { END_USER_FILTERS } from "../../../envoy/end-users";
import { EXT_AUTHZ } from "../../../envoy/ext-authz";
import { HEALTH_CHECK } from "../../../envoy/http";
import { requiredText } from "../../network/reading/fields";
import type { Entry, EntryRoute, FurtherCondition, OpenRoute } from "../model";
import { healthTarget, hostText } from "../outside";
import { linkText } from "../passing";
import { EVERY_REQUEST } from "../requests";
import type { RequestRule } from "../requests";
import { ADMIN } from "./clusters";
import { grantsOf } from "./grants";
import { carriedBy, extensionNamed, must, only, portOfServerName, socketOf } from "./messages";
import type { Owned } from "./owner";
import { routesOf, ruleOfMatch, takesConnect, takesEverything } from "./routes";
import type { Route } from "./routes";
import { peersOf } from "./tls";

/** Where clusters of the pod's own lead, by their names. */
export type Targets = ReadonlyMap<string, string>;

/** The filter chains of a listener with mutual TLS. @throws Unjudgeable */
export function entriesOf(listener: Field, targets: Targets, owned: Owned): Entry[] {
  const { title } = owned;
  const { port: listens } = socketOf(listener.at("address"));
  return listener
    .at("filter_chains")
    .items()
    .map((chain) => {
      const name = only(chain.at("filter_chain_match", "server_names"), "server name");
      const serverName = requiredText(name);
      const manager = managerOf(chain);
      const carries = carriedBy(manager);
      const filters = manager.at("http_filters");
      const rbac = extensionNamed(filters, "envoy.filters.http.rbac");
      must(rbac !== undefined, filters, "no RBAC filter stands before the router", "add one that names each caller");
      const { zone, parties: certificates, alpn } = peersOf(chain.at("transport_socket"), owned.datacenter);
      must(
        carries !== "bytes" || alpn.join() === "h2",
        chain,
        "a CONNECT comes by HTTP/2 alone",
        "offer h2 and nothing else",
      );
      return {
        place: { object: title, path: chain.path },
        listens,
        serverName,
        port: portOfServerName(name),
        zone,
        certificates,
        alpn,
        carries,
        grants: rbac === undefined ? [] : grantsOf(rbac, serverName, owned),
        routes:
          linked(routesOf(manager), targets) ??
          routesOf(manager).map((route): EntryRoute => {
            const connect = takesConnect(route.match);
            must(
              connect === (carries === "bytes"),
              route.match,
              "CONNECT and requests are not told apart",
              "match one",
            );
            const [upgrade, ...others] = route.field.at("route", "upgrade_configs").items();
            must(
              !connect ||
                (others.length === 0 &&
                  upgrade?.at("upgrade_type").is("CONNECT") === true &&
                  upgrade.has("connect_config")),
              route.field,
              "a CONNECT goes on as such, which no application takes",
              "give the route upgrade_configs with CONNECT",
            );
            const rule = connect || takesEverything(route.match) ? EVERY_REQUEST : ruleOfMatch(route.match);
            return { rule, connect, target: endOf(route.field, rule, targetOf(route.field, route.clusters, targets)) };
          }),
        further: furtherOf(filters),
      };
    });
}

/** Routes by which a gateway passes on each CONNECT to whom it names, as one; undefined where they are none such. @throws Unjudgeable */
function linked(routes: readonly Route[], targets: Targets): EntryRoute[] | undefined {
  if (!routes.some(({ match }) => match.has("connect_matcher") && match.has("headers"))) return undefined;
  const ways = routes.map(({ field, match, clusters }) => {
    const header = only(match.at("headers"), "header");
    const [upgrade, ...others] = field.at("route", "upgrade_configs").items();
    must(
      match.keys().join() === "connect_matcher,headers" &&
        match.at("connect_matcher").isEmpty &&
        header.keys().join() === "name,string_match" &&
        header.at("name").is(":authority") &&
        header.at("string_match").keys().join() === "exact" &&
        others.length === 0 &&
        upgrade?.at("upgrade_type").is("CONNECT") === true &&
        upgrade.has("connect_config"),
      field,
      "a CONNECT is passed on by something else than whom it exactly names",
      "match connect_matcher and :authority, exact",
    );
    const target = targetOf(field, clusters, targets) ?? "nowhere";
    return { authority: requiredText(header.at("string_match", "exact")), target };
  });
  return [{ rule: EVERY_REQUEST, connect: true, target: linkText(ways) }];
}

/** The routes of the plain-text listener, each for one exact path. @throws Unjudgeable */
export function openRoutesOf(listener: Field, targets: Targets, title: string): OpenRoute[] {
  const manager = managerOf(only(listener.at("filter_chains"), "filter chain"));
  must(carriedBy(manager) === "requests", manager, "plain text may be turned into something else", "take it out");
  const told = healthTold(manager, title);
  const asked = routesOf(manager).flatMap(({ field, match, clusters }) => {
    const to = targetOf(field, clusters, targets);
    if (to === undefined) return [];
    const { methods = [], paths = [] } = ruleOfMatch(match);
    const [path] = paths;
    const exact = path !== undefined && "exact" in path ? path.exact : undefined;
    must(exact !== undefined && methods.length === 1, match, "anybody may ask more than one thing", "match one path");
    const asked = field.at("route", "prefix_rewrite").text() ?? exact ?? "";
    return [
      {
        place: { object: title, path: field.path },
        request: `${methods[0] ?? ""} ${exact ?? ""}`,
        target: `${to}${asked}`,
      },
    ];
  });
  return [...told, ...asked];
}

/** What the sidecar of a service outside the cluster tells of it by itself. The form has proven that it is asked by `GET /health`. */
function healthTold(manager: Field, title: string): OpenRoute[] {
  const filter = extensionNamed(manager.at("http_filters"), HEALTH_CHECK);
  if (filter === undefined) return [];
  const clusters = filter.at("cluster_min_healthy_percentages").keys();
  return [
    {
      place: { object: title, path: filter.path },
      request: "GET /health",
      target: healthTarget(clusters),
    },
  ];
}

/** The HTTP connection manager of a chain, in which every one of ours ends. */
export function managerOf(chain: Field): Field {
  const manager = extensionNamed(chain.at("filters"), "envoy.filters.network.http_connection_manager");
  must(manager !== undefined, chain.at("filters"), "requests can't be told", "end in an HTTP connection manager");
  return manager ?? chain;
}

function targetOf(route: Field, clusters: readonly string[], targets: Targets): string | undefined {
  if (!route.has("route")) return undefined;
  const [cluster, ...others] = clusters;
  must(cluster !== undefined && others.length === 0, route, "it goes several ways", "name one cluster");
  const target = targets.get(cluster ?? "");
  must(target !== undefined, route, `there is no cluster ${cluster ?? ""} of the pod's own`, "give it one");
  const host = route.at("route", "host_rewrite_literal").text();
  return host === undefined || target === undefined ? target : `${target}${hostText(host)}`;
}

/** Where a request ends: of a route for one path, at what the application is asked there. The form has proven that no other rewrites anything. */
function endOf(route: Field, { paths = [] }: RequestRule, target: string | undefined): string | undefined {
  const [path] = paths;
  if (target === undefined || target === ADMIN || path === undefined || !("exact" in path)) return target;
  return `${target}${route.at("route", "prefix_rewrite").text() ?? path.exact}`;
}

function furtherOf(filters: Field): ReadonlySet<FurtherCondition> {
  const names = filters.items().map((filter) => filter.at("name").text() ?? "");
  const further = new Set<FurtherCondition>();
  if (names.some((name) => END_USER_FILTERS.includes(name))) further.add("end-users");
  if (names.includes(EXT_AUTHZ)) further.add("authenticator");
  return further;
}
