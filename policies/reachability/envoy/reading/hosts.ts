import type { Field } from "../../../judgement/field";
import { must, socketOf } from "./messages";

/** Key of a cluster's options for HTTP. */
export const PROTOCOL_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

/** Which HTTP a cluster's hosts are sent; undefined for bytes. @throws Unjudgeable */
export function spokenBy(cluster: Field): "HTTP/1.1" | "HTTP/2" | undefined {
  if (!cluster.has("typed_extension_protocol_options")) return undefined;
  const [kind, ...others] = cluster
    .at("typed_extension_protocol_options", PROTOCOL_OPTIONS, "explicit_http_config")
    .keys();
  must(others.length === 0 && kind !== undefined, cluster, "which HTTP the application is sent isn't told", "say one");
  if (kind === "http2_protocol_options") return "HTTP/2";
  must(
    kind === "http_protocol_options",
    cluster,
    "which HTTP the application is sent isn't modelled",
    "take HTTP/1 or 2",
  );
  return "HTTP/1.1";
}

/** Ways to choose among them. */
export const BALANCERS = ["LEAST_REQUEST", "ROUND_ROBIN", "RANDOM"];

/** The hosts of a cluster. @throws Unjudgeable */
export function endpointsOf(cluster: Field) {
  const assignment = cluster.at("load_assignment");
  must(
    ["cluster_name,endpoints", "cluster_name,endpoints,policy"].includes(assignment.keys().join()) &&
      assignment.at("cluster_name").is(cluster.at("name").text() ?? ""),
    assignment,
    "the endpoints aren't the cluster's own",
    "give cluster_name and endpoints",
  );
  // When the next of several clusters or priorities are asked, and not which hosts there are.
  known(assignment.at("policy"), ["overprovisioning_factor"]);
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

/** @throws Unjudgeable where there is any other field */
export function known(field: Field, keys: readonly string[]): void {
  must(
    field.keys().every((key) => keys.includes(key)),
    field,
    "has a field that isn't modelled",
    `give ${keys.join(", ")} alone`,
  );
}
