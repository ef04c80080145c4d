/** Ways out to services outside the cluster: the clusters behind the sidecar of a member that stands for one, and what it says of their health. */
import { outsideBlocks, outsideOf } from "../ceiling/outside";
import type { CeilingOutside } from "../ceiling/types";
import type { Field } from "../judgement/field";
import type { Scope } from "./scope";
import { closedKeys, extensionOf, isType } from "./shape";
import { readsFile } from "./tls";

const TLS = "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext";
const AUTHORITIES = /^(-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\n]+-----END CERTIFICATE-----\n)+$/;
/** Fields of a cluster that only a way out has. */
export const OUTSIDE_KEYS = ["health_checks"];
const CHECK_KEYS = [
  "interval",
  "no_traffic_interval",
  "unhealthy_interval",
  "timeout",
  "unhealthy_threshold",
  "healthy_threshold",
  "tcp_health_check",
  "http_health_check",
];

/** The service outside that the sidecar's own member stands for. */
export function ownOutside({ zone, service, ceiling }: Scope): CeilingOutside | undefined {
  return outsideOf(`${zone}/${service}`, ceiling);
}

/** Checks the cluster of one port: the listed addresses and that port, by TLS and to listed names; only instances that are well. */
export function checkOutside(cluster: Field, outside: CeilingOutside, scope: Scope): void {
  const { findings } = scope;
  findings.require(
    cluster.at("type").is("STATIC"),
    cluster.at("type"),
    "a service outside is looked up by name",
    "make the cluster STATIC",
  );
  const blocks = outsideBlocks(outside);
  for (const locality of cluster.at("load_assignment", "endpoints").items()) {
    for (const host of locality.at("lb_endpoints").items()) {
      const socket = host.at("endpoint", "address", "socket_address");
      const isListed =
        blocks.includes(`${socket.at("address").text() ?? ""}/32`) &&
        outside.ports.includes(`${String(socket.at("port_value").number())}/TCP`);
      findings.require(
        isListed,
        host,
        `it leads to ${socket.at("address").shown()} on ${socket.at("port_value").shown()}, which the ceiling does not list for it`,
        "take it out, or have the ceiling's owner list it under outside",
      );
    }
  }
  if (cluster.at("transport_socket").isAbsent) {
    findings.require(
      outside.leave.plaintext !== undefined,
      cluster.at("transport_socket"),
      "the cluster sends plain text out of the cluster",
      "declare `tls` of the service, or have the ceiling's owner give it a leave for plaintext",
    );
  } else checkTls(cluster.at("transport_socket"), outside, scope);
  checkHealth(cluster, scope);
}

/** Checks where requests of a route are said to be for: nobody but a way out says it, and it says a name of its own service. */
export function checkHost(action: Field, scope: Scope): void {
  const host = action.at("host_rewrite_literal");
  if (host.isAbsent) return;
  scope.findings.require(
    host.isOneOf(ownOutside(scope)?.names ?? []),
    host,
    "requests are sent on for another host",
    "take it out; of a service outside, name the host that the ceiling lists",
  );
}

/** Checks the filter that answers kubelet in the place of an application: by its own clusters' health, and nothing but `GET /health`. */
export function checkHealthFilter(config: Field, isMeant: boolean, scope: Scope): void {
  const { findings } = scope;
  closedKeys(config, ["@type", "pass_through_mode", "headers", "cluster_min_healthy_percentages"], findings);
  const headers = config.at("headers").items();
  headers.forEach((header) => {
    closedKeys(header, ["name", "string_match"], findings);
    closedKeys(header.at("string_match"), ["exact"], findings);
  });
  const asked = headers.map((header) =>
    [header.at("name").text(), header.at("string_match", "exact").text()].join(" "),
  );
  const clusters = config.at("cluster_min_healthy_percentages").entries();
  findings.require(
    isMeant &&
      ownOutside(scope) !== undefined &&
      config.at("pass_through_mode").is(false) &&
      asked.join() === ":path /health,:method GET" &&
      clusters.length > 0 &&
      clusters.every(
        ([name, least]) =>
          name.startsWith("application|") && least.keys().join() === "value" && least.at("value").is(1),
      ),
    config,
    "the sidecar tells its health where an application should, or by something else than the service outside",
    "answer GET /health on the health port, by all of the clusters of a service outside",
  );
}

function checkTls(socket: Field, outside: CeilingOutside, scope: Scope): void {
  const { findings } = scope;
  const context = extensionOf(socket, ["envoy.transport_sockets.tls"], findings)?.config;
  if (context === undefined) return;
  findings.require(
    isType(context, TLS),
    context.at("@type"),
    "the transport socket is no client-side TLS",
    `take ${TLS}`,
  );
  closedKeys(context, ["@type", "sni", "max_session_keys", "common_tls_context"], findings);
  findings.require(
    context.at("sni").isOneOf(outside.names),
    context.at("sni"),
    `it asks for ${context.at("sni").shown()}, which the ceiling does not list for it`,
    "ask for one of the listed names",
  );
  findings.require(
    context.at("max_session_keys").is(0),
    context.at("max_session_keys"),
    "a resumed session is not verified again",
    "set max_session_keys: 0",
  );
  const common = context.at("common_tls_context");
  closedKeys(
    common,
    ["tls_params", "alpn_protocols", "tls_certificate_sds_secret_configs", "validation_context"],
    findings,
  );
  const params = common.at("tls_params");
  closedKeys(params, ["tls_minimum_protocol_version", "tls_maximum_protocol_version"], findings);
  findings.require(
    params.at("tls_minimum_protocol_version").isOneOf(["TLSv1_2", "TLSv1_3"]) &&
      params.at("tls_maximum_protocol_version").is("TLSv1_3"),
    params,
    "the context may speak a version of TLS before 1.2, or not the newest",
    "set TLSv1_2 and TLSv1_3",
  );
  const shown = common.at("tls_certificate_sds_secret_configs").items();
  findings.require(
    shown.length <= 1 &&
      shown.every((secret) => readsFile(secret, "leaf", "/etc/envoy/config", "certificate.yaml", scope)),
    common.at("tls_certificate_sds_secret_configs"),
    "it is shown something else than the service's own certificate",
    "take the secret `leaf`, or none",
  );
  checkNames(common.at("validation_context"), outside, scope);
}

function checkNames(validation: Field, { names }: CeilingOutside, { findings }: Scope): void {
  closedKeys(validation, ["trusted_ca", "match_typed_subject_alt_names"], findings);
  closedKeys(validation.at("trusted_ca"), ["inline_string"], findings);
  const authorities = validation.at("trusted_ca", "inline_string");
  findings.require(
    AUTHORITIES.test(authorities.text() ?? ""),
    authorities,
    "nothing, or something else than PEM certificates, says who signs the service outside",
    "put its authorities' certificates there, and nothing else",
  );
  const matchers = validation.at("match_typed_subject_alt_names").items();
  findings.require(
    matchers.length > 0,
    validation.at("match_typed_subject_alt_names"),
    "every certificate of these authorities is accepted",
    "match the service's names",
  );
  for (const matcher of matchers) {
    closedKeys(matcher, ["san_type", "matcher"], findings);
    closedKeys(matcher.at("matcher"), ["safe_regex"], findings);
    closedKeys(matcher.at("matcher", "safe_regex"), ["regex"], findings);
    findings.require(
      matcher.at("san_type").is("DNS") && matcher.at("matcher", "safe_regex", "regex").isOneOf(names.map(literally)),
      matcher,
      "the matcher is no name that the ceiling lists for the service, to the letter",
      "match san_type DNS, by a regular expression that is one of the listed names; `exact` takes names with `*`, too",
    );
  }
}

/** The regular expression of a DNS name that stands for itself alone. */
export function literally(name: string): string {
  return name.replaceAll(/[.*]/g, "\\$&");
}

function checkHealth(cluster: Field, { findings }: Scope): void {
  const checks = cluster.at("health_checks").items();
  for (const check of checks) {
    closedKeys(check, CHECK_KEYS, findings);
    closedKeys(check.at("tcp_health_check"), [], findings);
    closedKeys(check.at("http_health_check"), ["path", "host", "codec_client_type"], findings);
  }
  findings.require(
    checks.length === 1 &&
      checks.every(
        (check) =>
          check.has("tcp_health_check") !== check.has("http_health_check") &&
          ["unhealthy_threshold", "healthy_threshold"].every((key) => (check.at(key).number() ?? 0) >= 1),
      ),
    cluster.at("health_checks"),
    "nobody asks whether the service outside is well",
    "give the cluster one health check, with its thresholds",
  );
  const common = cluster.at("common_lb_config");
  closedKeys(common, ["healthy_panic_threshold"], findings);
  closedKeys(common.at("healthy_panic_threshold"), ["value"], findings);
  findings.require(
    common.at("healthy_panic_threshold", "value").is(0),
    common,
    "instances that aren't well are sent calls where most of them aren't",
    "set healthy_panic_threshold: 0",
  );
}
