import type { Edge, Service, VersionRoute, VersionWeight } from "../../mesh/model";
import { versionDiscoveryName } from "../../mesh/names";
import type { Message } from "../message";

/** Key of an instance's metadata under `envoy.lb`: its version. */
const VERSION_KEY = "version";

/** Requests of an edge, and what their route's action says of where they go. */
export interface Destination {
  readonly match: Message;
  /** `cluster`, with `metadata_match` where the instances must be of a version; or `weighted_clusters`. */
  readonly target: Message;
}

/**
 * Where the requests of an edge go, in the order of the routes: to one version where a route says so, the rest by weight, and where nothing is said to
 * all instances of the callee alike. It is always the edge's one cluster: a version that is new can't be a cluster that is not there yet.
 *
 * @see https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/route/v3/route_components.proto
 */
export function destinations(edge: Edge, callee: Service, cluster: string): Destination[] {
  const routed = (edge.split?.routes ?? []).flatMap((route) =>
    matches(route).map((match) => ({ match, target: { cluster, ...preferring(callee, route.version) } })),
  );
  return [...routed, { match: { prefix: "/" }, target: share(edge, callee, cluster) }];
}

/** How what no route has taken is shared, and every connection of a TCP edge. */
export function share(edge: Edge, callee: Service, cluster: string): Message {
  const weights = (edge.split?.weights ?? []).filter(({ weight }) => weight > 0);
  const [only] = weights;
  if (only === undefined) return { cluster };
  const part = ({ version, weight }: VersionWeight) => ({ name: cluster, weight, ...preferring(callee, version) });
  return weights.length === 1
    ? { cluster, ...preferring(callee, only.version) }
    : { weighted_clusters: { clusters: weights.map(part) } };
}

/**
 * What of a cluster tells a callee's versions apart; empty where it has none.
 *
 * Each version is looked up by its own name, and the service by its whole one, for instances of a version that is no longer declared. A version of which no
 * instance can be reached is passed over for another one: with a panic threshold its dead instances would be tried instead.
 *
 * Once nobody is left of any version all instances are asked, by the whole name, by which each stands in the cluster once more. So half of the cluster may be
 * left out: that is enough for all that bear a version, and then for nobody else. With all of it left out there would be nobody to call until the first
 * ejection ends.
 *
 * @param endpoint an instance's address as it stands in `load_assignment`, by its discovery name
 * @see https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/subsets
 * @see https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/outlier
 */
export function versionedCluster(callee: Service, endpoint: (discoveryName: string) => Message): Versioned | undefined {
  const versions = versionsOf(callee);
  if (versions.length === 0) return undefined;
  const marked = versions.map((version) => ({
    ...endpoint(versionDiscoveryName(callee.discoveryName, version)),
    metadata: { filter_metadata: { "envoy.lb": { [VERSION_KEY]: version } } },
  }));
  return {
    // Versions first. All of them, and whoever is of none, are asked by the whole name while none of those can be.
    endpoints: [{ lb_endpoints: marked }, { priority: 1, lb_endpoints: [endpoint(callee.discoveryName)] }],
    fields: {
      lb_subset_config: {
        fallback_policy: "ANY_ENDPOINT",
        subset_selectors: [{ keys: [VERSION_KEY] }],
        metadata_fallback_policy: "FALLBACK_LIST",
      },
      // An ejected instance is passed over at once; by default Envoy keeps such changes back for up to a second.
      common_lb_config: { healthy_panic_threshold: { value: 0 }, update_merge_window: "0s" },
    },
    ejection: { max_ejection_percent: 50 },
  };
}

export interface Versioned {
  /** `LocalityLbEndpoints`. */
  readonly endpoints: readonly Message[];
  readonly fields: Message;
  /** Fields of `outlier_detection` in place of the edge's. */
  readonly ejection: Message;
}

/** Instances of a version; while none of them can be reached those of the next, and at last any. */
function preferring(callee: Service, version: string): Message {
  const order = [version, ...versionsOf(callee).filter((other) => other !== version)];
  const list: Message[] = [...order.map((each) => ({ [VERSION_KEY]: each })), {}];
  return { metadata_match: { filter_metadata: { "envoy.lb": { fallback_list: list } } } };
}

function versionsOf({ workload }: Service): readonly string[] {
  return workload.kind === "versions" ? workload.versions.map(({ name }) => name) : [];
}

/** One match for each path: a match has one path at most, and all that it names must hold. */
function matches({ methods, paths, headers }: VersionRoute): Message[] {
  const method: Message[] =
    methods.length === 0 ? [] : [{ name: ":method", string_match: { safe_regex: { regex: methods.join("|") } } }];
  const wanted = [
    ...method,
    ...Object.entries(headers).map(([name, value]) => ({ name, string_match: { exact: value } })),
  ];
  const also: Message = wanted.length === 0 ? {} : { headers: wanted };
  return (paths.length === 0 ? ["/*"] : paths).map((path) => ({ ...pathMatch(path), ...also }));
}

/** As an edge's rules read it: exact, or a prefix when it ends in `*`; after normalization, without the query. */
function pathMatch(path: string): Message {
  return path.endsWith("*") ? { prefix: path.slice(0, -1) } : { path };
}
