import type { Field } from "../../../judgement/field";
import { requiredText } from "../../network/reading/fields";
import { digestOfPem } from "../outside";
import type { OutsideTls, WayOutside } from "../outside";
import { BALANCERS, endpointsOf, spokenBy } from "./hosts";
import { must } from "./messages";

/** Whether the cluster of a port leads to a service outside, and not to an application in the pod. @throws Unjudgeable */
export function isOutside(cluster: Field): boolean {
  return cluster.has("transport_socket") || endpointsOf(cluster).some(({ address }) => !address.startsWith("127."));
}

/** Where it leads. The form has proven that nothing else stands there. @throws Unjudgeable */
export function outsideOf(cluster: Field, title: string): WayOutside {
  const endpoints = endpointsOf(cluster);
  const [first, ...others] = endpoints;
  must(
    first !== undefined && others.every(({ port }) => port === first.port),
    cluster,
    "the instances outside are dialled at several ports",
    "dial one",
  );
  must(
    new Set(endpoints.map(({ address }) => address)).size === endpoints.length,
    cluster,
    "an instance stands there twice, and is sent twice the calls",
    "keep one",
  );
  must(
    cluster.at("lb_policy").isOneOf(BALANCERS),
    cluster.at("lb_policy"),
    "how instances are chosen isn't modelled",
    "take LEAST_REQUEST",
  );
  const [check] = cluster.at("health_checks").items();
  const http = check?.at("http_health_check");
  const sni = cluster.at("transport_socket", "typed_config", "sni");
  must(
    http === undefined || http.isAbsent || http.at("host").text() === sni.text(),
    cluster.at("health_checks"),
    "the question whether it is well is for another host than the calls",
    "ask the host that the certificate names",
  );
  return {
    place: { object: title, path: cluster.path },
    cluster: requiredText(cluster.at("name")),
    addresses: endpoints.map(({ address }) => address),
    port: first?.port ?? 0,
    byHttp2: spokenBy(cluster) === "HTTP/2",
    tls: cluster.has("transport_socket") ? tlsOf(cluster.at("transport_socket", "typed_config")) : undefined,
    asked: http === undefined || http.isAbsent ? "a connection" : `GET ${requiredText(http.at("path"))}`,
  };
}

function tlsOf(context: Field): OutsideTls {
  const common = context.at("common_tls_context");
  const validation = common.at("validation_context");
  return {
    serverName: requiredText(context.at("sni")),
    names: validation
      .at("match_typed_subject_alt_names")
      .items()
      .map((matcher) => requiredText(matcher.at("matcher", "safe_regex", "regex")).replaceAll("\\", "")),
    authorities: digestOfPem(requiredText(validation.at("trusted_ca", "inline_string"))),
    alpn: common.at("alpn_protocols").texts(),
    presents: common.at("tls_certificate_sds_secret_configs").items().length > 0,
  };
}
