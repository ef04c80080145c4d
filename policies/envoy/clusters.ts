import { CALL_PORT, INSPECTION_PORT, ceilingAllows } from "../ceiling/edges";
import type { Field } from "../judgement/field";
import { checkOutside, OUTSIDE_KEYS, ownOutside } from "./outside";
import { checkArrival, checkLink } from "./links";
import type { Scope } from "./scope";
import { checkMark, closedKeys, isType } from "./shape";
import { checkPresentsToken } from "./token";
import { checkClientTls } from "./tls";
import { checkBounds } from "./traffic";

const CLUSTER_KEYS = [
  "@type",
  "name",
  "connect_timeout",
  "type",
  "cluster_type",
  "lb_policy",
  "load_assignment",
  "typed_extension_protocol_options",
  "circuit_breakers",
  "outlier_detection",
  "upstream_connection_options",
  "transport_socket",
  "original_dst_lb_config",
  "cleanup_interval",
  "lb_subset_config",
  "common_lb_config",
];

/**
 * Checks `clusters.yaml`: to the application in clear text on loopback, to everybody else by mutual TLS and to exact identities; and where the member stands for a
 * service outside the cluster, to that in the application's place.
 */
export function checkClusters(file: Field, scope: Scope): void {
  const { findings } = scope;
  closedKeys(file, ["version_info", "resources"], findings);
  for (const cluster of file.at("resources").items()) {
    if (!isType(cluster, "envoy.config.cluster.v3.Cluster")) {
      findings.add(cluster.at("@type"), "the resource is no cluster", "take it out");
      continue;
    }
    const name = cluster.at("name").text() ?? "";
    findings.require(
      cluster.at("transport_socket_matches").isAbsent,
      cluster.at("transport_socket_matches"),
      "the transport is chosen per host",
      "give the cluster one transport_socket",
    );
    const outside = name.startsWith("application|") ? ownOutside(scope) : undefined;
    const further = outside === undefined ? [] : OUTSIDE_KEYS;
    closedKeys(cluster, [...CLUSTER_KEYS, "transport_socket_matches", "metadata", ...further], findings);
    checkBounds(cluster, scope, /^outbound\|./.test(name) ? "budget" : "plain");
    checkPresentsToken(cluster, /^(outbound|scrape|link)\|./.test(name), scope);
    checkMark(cluster.at("metadata"), findings);
    if (outside !== undefined) checkOutside(cluster, outside, scope);
    else if (name.startsWith("application|")) checkApplication(cluster, scope);
    else if (isOrdered(cluster)) checkOrdered(cluster, name, file, scope);
    else if (/^outbound\|./.test(name)) checkCallee(cluster, name.split("|")[1] ?? "", scope);
    else if (/^link\|./.test(name)) checkLink(cluster, name.slice("link|".length), scope);
    else if (/^arrival\|./.test(name)) checkArrival(cluster, name.slice("arrival|".length), scope);
    else if (/^scrape\|./.test(name)) checkScrape(cluster, name.slice("scrape|".length), scope);
    else
      findings.add(
        cluster.at("name"),
        `no cluster \`${name}\` belongs to a sidecar`,
        "take it out, or model it in policies/envoy/clusters.ts",
      );
  }
}

/** The application's own ports: reached on loopback alone. */
function checkApplication(cluster: Field, { findings }: Scope): void {
  findings.require(
    cluster.at("type").is("STATIC"),
    cluster.at("type"),
    "the application is looked up by name",
    "make the cluster STATIC",
  );
  for (const leaf of cluster.at("load_assignment").leaves()) {
    if (!leaf.path.endsWith("socket_address.address")) continue;
    findings.require(
      leaf.is("127.0.0.1"),
      leaf,
      "the application is reached in clear text outside the pod",
      "send to 127.0.0.1",
    );
  }
}

/** Whether a cluster stands above others, which it tries in their order. */
export function isOrdered(cluster: Field): boolean {
  return cluster.at("cluster_type", "name").is("envoy.clusters.aggregate");
}

/** Clusters of one call, in their order: each is judged as the callee that it is. */
function checkOrdered(cluster: Field, name: string, file: Field, { findings }: Scope): void {
  closedKeys(cluster.at("cluster_type"), ["name", "typed_config"], findings);
  const config = cluster.at("cluster_type", "typed_config");
  closedKeys(config, ["@type", "clusters"], findings);
  closedKeys(cluster.at("common_lb_config"), ["healthy_panic_threshold", "update_merge_window"], findings);
  const below = config.at("clusters").texts();
  const known = new Set(
    file
      .at("resources")
      .items()
      .map((each) => each.at("name").text() ?? ""),
  );
  findings.require(
    isType(config, "envoy.extensions.clusters.aggregate.v3.ClusterConfig") &&
      cluster.at("lb_policy").is("CLUSTER_PROVIDED") &&
      ["type", "load_assignment", "transport_socket"].every((key) => cluster.at(key).isAbsent) &&
      below.length > 1 &&
      new Set(below).size === below.length &&
      below.every((each) => each.startsWith(`${name}|`) && known.has(each)),
    cluster,
    "the cluster stands above others than the call's own",
    `name clusters \`${name}|<datacenter>\` that are there, each once`,
  );
}

function checkCallee(cluster: Field, callee: string, scope: Scope): void {
  // Both choose among the hosts of this cluster, each of which must prove the callee's identity.
  const subsets = ["fallback_policy", "subset_selectors", "metadata_fallback_policy"];
  closedKeys(cluster.at("lb_subset_config"), subsets, scope.findings);
  closedKeys(cluster.at("common_lb_config"), ["healthy_panic_threshold", "update_merge_window"], scope.findings);
  const peers = checkClientTls(cluster.at("transport_socket"), scope, "exact");
  const own = `${scope.zone}/${scope.service}`;
  for (const party of peers?.parties ?? []) {
    scope.findings.require(
      party === `${peers?.zone ?? ""}/${callee}`,
      cluster.at("transport_socket"),
      `the cluster for ${callee} accepts ${party} in its place`,
      `accept the identity of ${callee} alone`,
    );
    scope.findings.require(
      ceilingAllows(own, party, CALL_PORT, "egress", scope.ceiling),
      cluster.at("name"),
      `it lets ${own} reach ${party} on ${CALL_PORT}, an edge that the ceiling does not allow`,
      "take it out, or have the ceiling's owner allow the edge with a reason",
    );
  }
}

/** A forward proxy into a zone: the address is the request's, so any identity of that zone is accepted, and the port is fixed. */
function checkScrape(cluster: Field, zone: string, scope: Scope): void {
  const peers = checkClientTls(cluster.at("transport_socket"), scope, "prefix");
  const own = `${scope.zone}/${scope.service}`;
  scope.findings.require(
    peers?.zone === zone && ceilingAllows(own, `${zone}/*`, INSPECTION_PORT, "egress", scope.ceiling),
    cluster.at("name"),
    `${own} may not inspect zone ${zone} by this cluster`,
    "trust that zone's roots alone; the ceiling says who inspects whom",
  );
  scope.findings.require(
    cluster.at("original_dst_lb_config", "upstream_port_override").is(15090),
    cluster.at("original_dst_lb_config"),
    "the request chooses the port",
    "set upstream_port_override: 15090",
  );
}
