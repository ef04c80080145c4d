import type { Field } from "../judgement/field";
import { checkEndUsers, END_USER_FILTERS } from "./end-users";
import { checkExtAuthz, EXT_AUTHZ } from "./ext-authz";
import { checkRbac } from "./rbac";
import { checkOtherTokens, checkTokenFilter, isDiscovered } from "./token";
import { checkHealthFilter, checkHost } from "./outside";
import type { Scope } from "./scope";
import { closedKeys, extensionOf } from "./shape";
import type { AcceptedPeers } from "./tls";
import { checkRateLimit, checkRetryPolicy } from "./traffic";

/** What a listener's requests may be sent to. */
export interface Destinations {
  /** Whether requests may go to a cluster of this name. */
  allows(cluster: string): boolean;
  /** Paths of Envoy's admin interface that may be read, by GET; of one with a query no other query. */
  readonly adminPaths: readonly string[];
  /** Where the mesh itself asks the application: the one path at which a route takes GET to it, and names what it is asked there. Undefined: its callers' requests go on as they are. */
  readonly askedPath?: string;
  /** Whether it may be asked there with a query, as a service's `health.path` may have one. */
  readonly asksWithQuery?: true;
  /** Whether a way out of the cluster may say there itself how the service outside is. */
  readonly tellsHealth?: true;
}

/** Filter by which a way out of the cluster tells how the service outside is. */
export const HEALTH_CHECK = "envoy.filters.http.health_check";
/** Cluster that reaches Envoy's own admin interface. */
const ADMIN_CLUSTER = "admin";

/** Fields that change neither who may ask nor where a request goes. */
const HARMLESS = [
  "@type",
  "stat_prefix",
  "codec_type",
  "internal_address_config",
  "preserve_external_request_id",
  "generate_request_id",
  "request_id_extension",
  "server_header_transformation",
  "server_name",
  "common_http_protocol_options",
  "http2_protocol_options",
  "proxy_100_continue",
  "request_headers_timeout",
  "request_timeout",
  "stream_idle_timeout",
  "drain_timeout",
  "delayed_close_timeout",
  "max_request_headers_kb",
  "access_log",
  "tracing",
  "skip_xff_append",
  "set_current_client_cert_details",
  "local_reply_config",
];
/** Fields with a check of their own. */
const CHECKED = [
  "http_protocol_options",
  "normalize_path",
  "merge_slashes",
  "path_with_escaped_slashes_action",
  "use_remote_address",
  "forward_client_cert_details",
  "upgrade_configs",
  "route_config",
  "http_filters",
];
const HTTP_FILTERS = [
  "envoy.filters.http.local_ratelimit",
  "envoy.filters.http.jwt_authn",
  "envoy.filters.http.rbac",
  ...END_USER_FILTERS,
  EXT_AUTHZ,
  HEALTH_CHECK,
  "envoy.filters.http.grpc_stats",
  "envoy.filters.http.router",
];

/**
 * Checks an HTTP connection manager.
 *
 * @param authorized whether an RBAC filter is already in front of it, or none is needed (loopback, health)
 */
export function checkConnectionManager(
  manager: Field,
  peers: AcceptedPeers | undefined,
  destinations: Destinations,
  { authorized, mutual }: { readonly authorized: boolean; readonly mutual: boolean },
  scope: Scope,
): void {
  const { findings } = scope;
  closedKeys(manager, [...HARMLESS, ...CHECKED], findings);
  // Others make Envoy read a request otherwise than the application does (`allow_chunked_length`), and so smuggle one past the rules.
  closedKeys(manager.at("http_protocol_options"), ["enable_trailers"], findings);
  checkPaths(manager, scope);
  if (mutual) {
    findings.require(
      manager.at("forward_client_cert_details").isOneOf(["SANITIZE", "SANITIZE_SET"]),
      manager.at("forward_client_cert_details"),
      "a caller could claim to be another in x-forwarded-client-cert",
      "set forward_client_cert_details: SANITIZE_SET",
    );
  }
  for (const upgrade of manager.at("upgrade_configs").items())
    closedKeys(upgrade, ["upgrade_type", "enabled"], findings);
  checkFilters(manager.at("http_filters"), peers, { authorized, destinations }, scope);
  checkRoutes(manager.at("route_config"), destinations, scope);
}

/** Path rules are judged on what the application will read: `/public/../admin`, `%2e%2e` and `..%2f` must not pass for `/public/`. */
function checkPaths(manager: Field, { findings }: Scope): void {
  const must = (key: string, expected: readonly (boolean | string)[]) => {
    const field = manager.at(key);
    findings.require(
      field.isOneOf(expected),
      field,
      "requests are matched by a path that the application may read otherwise",
      `set ${key}: ${String(expected[0])}`,
    );
  };
  must("normalize_path", [true]);
  must("merge_slashes", [true]);
  must("path_with_escaped_slashes_action", ["REJECT_REQUEST"]);
  must("use_remote_address", [true]);
}

function checkFilters(
  list: Field,
  peers: AcceptedPeers | undefined,
  { authorized, destinations }: { readonly authorized: boolean; readonly destinations: Destinations },
  scope: Scope,
): void {
  const { findings } = scope;
  const [discovered, configured] = [
    list.items().filter(isDiscovered),
    list.items().filter((item) => !isDiscovered(item)),
  ];
  discovered.forEach((filter) => {
    checkTokenFilter(filter, peers?.zone, scope);
  });
  // Its own place is before everything that could be asked with a foreign token, authorization above all.
  findings.require(
    discovered.length === (authorized ? 0 : 1) && list.items().slice(0, discovered.length).every(isDiscovered),
    list,
    authorized ? "a listener of the pod itself asks for a token" : "no filter asks for the caller's token first",
    authorized ? "take the filter out" : "put the check of identity tokens first, once",
  );
  const filters = configured.map((item) => extensionOf(item, HTTP_FILTERS, findings));
  for (const filter of filters) {
    if (filter?.name === "envoy.filters.http.rbac") checkRbac(filter.config, peers, scope);
    if (filter?.name === HEALTH_CHECK) checkHealthFilter(filter.config, destinations.tellsHealth === true, scope);
    if (filter?.name === "envoy.filters.http.local_ratelimit") checkRateLimit(filter.config, peers, scope);
    if (filter?.name.startsWith("envoy.filters.http.jwt_authn") === true) checkOtherTokens(filter.config, scope);
  }
  const known = filters.filter((filter) => filter !== undefined);
  checkEndUsers(list, known, scope);
  checkExtAuthz(list, known, scope);
  const names = filters.map((filter) => filter?.name);
  findings.require(
    authorized || names.includes("envoy.filters.http.rbac"),
    list,
    "no RBAC filter stands before the router",
    "add one that names each caller",
  );
  findings.require(
    names.indexOf("envoy.filters.http.router") === names.length - 1 && names.length > 0,
    list,
    "the router is not the last filter",
    "put it last, once",
  );
  const limit = names.indexOf("envoy.filters.http.local_ratelimit");
  findings.require(
    limit < 0 || names.slice(0, limit).includes("envoy.filters.http.rbac"),
    list,
    "the rate limit stands before authorization, so refused requests take a caller's tokens",
    "put it behind the RBAC filter",
  );
}

function checkRoutes(config: Field, destinations: Destinations, scope: Scope): void {
  const { findings } = scope;
  if (config.isAbsent) {
    findings.add(config, "the routes come from elsewhere", "write them into route_config");
    return;
  }
  closedKeys(config, ["name", "validate_clusters", "request_headers_to_remove", "virtual_hosts"], findings);
  findings.require(
    config.at("validate_clusters").is(false),
    config.at("validate_clusters"),
    "a listener that comes before its clusters are warm would be rejected for good",
    "set validate_clusters: false",
  );
  for (const host of config.at("virtual_hosts").items()) {
    closedKeys(host, ["name", "domains", "routes"], findings);
    for (const route of host.at("routes").items()) checkRoute(route, destinations, scope);
  }
}

function checkRoute(route: Field, destinations: Destinations, scope: Scope): void {
  const { findings } = scope;
  // Per-route settings of filters (`typed_per_filter_config`) could switch RBAC off, so they are none of the known keys.
  closedKeys(route, ["name", "match", "route", "direct_response", "decorator"], findings);
  if (!route.has("route")) return;
  checkAction(route.at("route"), destinations, scope);
  for (const cluster of clustersOf(route.at("route"), scope)) {
    const name = cluster.text() ?? "";
    if (name === ADMIN_CLUSTER) {
      checkAdminRoute(route, destinations, scope);
      continue;
    }
    findings.require(
      destinations.allows(name),
      cluster,
      `requests go on to \`${name}\`, which is not behind this listener`,
      "send them where the listener belongs",
    );
    checkAskedRoute(route, destinations, scope);
  }
}

/** A route by which the mesh asks the application: one question, whatever the request says besides its path. */
function checkAskedRoute(route: Field, { askedPath: path, asksWithQuery }: Destinations, { findings }: Scope): void {
  if (path === undefined) return;
  const match = route.at("match");
  const asked = route.at("route", "prefix_rewrite");
  closedKeys(match, ["path", "headers"], findings);
  findings.require(
    match.at("path").is(path) && takesGet(match) && (asksWithQuery ? /^\// : /^\/[^?]*$/).test(asked.text() ?? ""),
    match,
    "the listener opens more of the application than the mesh itself asks of it",
    `match GET of exactly ${path}, and name the application's own path by prefix_rewrite`,
  );
}

/** Whether a match is about GET alone. */
function takesGet(match: Field): boolean {
  return asksFor(match, ":method", "GET");
}

/** Whether a match is about one path alone; where the path has a query, about that question alone. */
function takesOnly(match: Field, asked: string): boolean {
  return asked.includes("?") ? asksFor(match, ":path", asked) : match.at("path").is(asked);
}

/** Whether a match is about requests with this header alone. */
function asksFor(match: Field, name: string, value: string): boolean {
  return match
    .at("headers")
    .items()
    .some(
      (header) =>
        header.at("name").is(name) &&
        header.at("string_match", "exact").is(value) &&
        header.at("invert_match").isAbsent,
    );
}

/** What a route does beside choosing where to: no copies to others, no redirects, and no rewrites of what authorization has judged. */
function checkAction(action: Field, { askedPath }: Destinations, scope: Scope): void {
  const { findings } = scope;
  closedKeys(action, askedPath === undefined ? ACTION_KEYS : [...ACTION_KEYS, "prefix_rewrite"], findings);
  closedKeys(action.at("max_stream_duration"), ["max_stream_duration", "grpc_timeout_header_max"], findings);
  for (const upgrade of action.at("upgrade_configs").items()) {
    closedKeys(upgrade, ["upgrade_type", "connect_config"], findings);
    closedKeys(upgrade.at("connect_config"), [], findings);
  }
  checkHost(action, scope);
  if (action.has("retry_policy")) checkRetryPolicy(action.at("retry_policy"), scope);
}

const ACTION_KEYS = [
  "cluster",
  "metadata_match",
  "weighted_clusters",
  "timeout",
  "idle_timeout",
  "max_stream_duration",
  "retry_policy",
  "upgrade_configs",
  "host_rewrite_literal",
];

/** The clusters a route action may choose; choosing by header or plug-in is no way that can be judged. */
function clustersOf(action: Field, { findings }: Scope): Field[] {
  if (action.has("cluster")) return [action.at("cluster")];
  closedKeys(action.at("weighted_clusters"), ["clusters"], findings);
  const weighted = action.at("weighted_clusters", "clusters").items();
  if (weighted.length === 0) {
    findings.add(action, "the route's destination can't be told", "name it by cluster or weighted_clusters");
  }
  for (const cluster of weighted) closedKeys(cluster, ["name", "weight", "metadata_match"], findings);
  return weighted.map((cluster) => cluster.at("name"));
}

function checkAdminRoute(route: Field, destinations: Destinations, { findings }: Scope): void {
  const match = route.at("match");
  const action = route.at("route");
  const untouched = ["prefix_rewrite", "regex_rewrite", "path_rewrite_policy", "path_rewrite"].every(
    (key) => action.at(key).isAbsent,
  );
  findings.require(
    destinations.adminPaths.some((asked) => takesOnly(match, asked)) && takesGet(match) && untouched,
    match,
    "the listener opens more of Envoy's admin interface than its readers need",
    destinations.adminPaths.length === 0
      ? "take the route out"
      : `match GET of exactly ${destinations.adminPaths.join(" or ")}`,
  );
}
