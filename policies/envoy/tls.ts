import type { Field } from "../judgement/field";
import { linkTo } from "../ceiling/links";
import { anywhere, datacenterOf, identityOf, isElsewhere, partyOfIdentity, trustDomainOf } from "./scope";
import type { EdgeCeiling, Scope } from "./scope";
import { closedKeys, extensionOf, isType } from "./shape";

const TLS = "envoy.extensions.transport_sockets.tls.v3";
const CONFIG_FOLDER = "/etc/envoy/config";

/** Whom a TLS context accepts. */
export interface AcceptedPeers {
  /** The one zone whose roots it trusts. */
  readonly zone: string;
  /** Parties, `<zone>/<service>`; `<zone>/*` for every identity of the zone. */
  readonly parties: readonly string[];
}

/** Checks the server side of a filter chain. Undefined, with findings, where it is no mutual TLS that the rule understands. */
export function checkServerTls(socket: Field, scope: Scope): AcceptedPeers | undefined {
  const { findings } = scope;
  if (socket.isAbsent) {
    findings.add(socket, "the filter chain takes plain text", "give it the mutual TLS of envoy/identity/tls.ts");
    return undefined;
  }
  const context = extensionOf(socket, ["envoy.transport_sockets.tls"], findings)?.config;
  if (context === undefined) return undefined;
  if (!isType(context, `${TLS}.DownstreamTlsContext`)) {
    findings.add(context.at("@type"), "the transport socket is no server-side TLS", `take ${TLS}.DownstreamTlsContext`);
    return undefined;
  }
  closedKeys(
    context,
    [
      "@type",
      "require_client_certificate",
      "require_sni",
      "disable_stateless_session_resumption",
      "disable_stateful_session_resumption",
      "common_tls_context",
    ],
    findings,
  );
  findings.require(
    context.at("require_client_certificate").is(true),
    context.at("require_client_certificate"),
    "the filter chain asks for no client certificate",
    "set require_client_certificate: true",
  );
  for (const key of ["disable_stateless_session_resumption", "disable_stateful_session_resumption"]) {
    findings.require(
      context.at(key).is(true),
      context.at(key),
      "a resumed session is not verified again, so a peer outlives the trust in it",
      `set ${key}: true`,
    );
  }
  return checkCommonContext(context.at("common_tls_context"), scope, "exact");
}

/** Checks the client side of a cluster. */
export function checkClientTls(socket: Field, scope: Scope, identities: "exact" | "prefix"): AcceptedPeers | undefined {
  const { findings } = scope;
  if (socket.isAbsent) {
    findings.add(socket, "the cluster sends plain text off the pod", "give it the mutual TLS of envoy/identity/tls.ts");
    return undefined;
  }
  const context = extensionOf(socket, ["envoy.transport_sockets.tls"], findings)?.config;
  if (context === undefined) return undefined;
  if (!isType(context, `${TLS}.UpstreamTlsContext`)) {
    findings.add(context.at("@type"), "the transport socket is no client-side TLS", `take ${TLS}.UpstreamTlsContext`);
    return undefined;
  }
  closedKeys(context, ["@type", "sni", "max_session_keys", "common_tls_context"], findings);
  findings.require(
    context.at("max_session_keys").is(0),
    context.at("max_session_keys"),
    "a resumed session is not verified again",
    "set max_session_keys: 0",
  );
  return checkCommonContext(context.at("common_tls_context"), scope, identities);
}

function checkCommonContext(context: Field, scope: Scope, identities: "exact" | "prefix"): AcceptedPeers | undefined {
  const { findings } = scope;
  closedKeys(
    context,
    ["tls_params", "alpn_protocols", "tls_certificate_sds_secret_configs", "combined_validation_context"],
    findings,
  );
  const params = context.at("tls_params");
  closedKeys(params, ["tls_minimum_protocol_version", "tls_maximum_protocol_version"], findings);
  for (const key of ["tls_minimum_protocol_version", "tls_maximum_protocol_version"]) {
    findings.require(
      params.at(key).is("TLSv1_3"),
      params.at(key),
      "the context may speak another version than TLS 1.3",
      `set ${key}: TLSv1_3`,
    );
  }
  const leaf = context.at("tls_certificate_sds_secret_configs").items();
  findings.require(
    leaf.length === 1 && leaf.every((secret) => readsFile(secret, "leaf", CONFIG_FOLDER, "certificate.yaml", scope)),
    context.at("tls_certificate_sds_secret_configs"),
    "the context presents something else than the service's own certificate",
    `take the secret \`leaf\` from ${CONFIG_FOLDER}/..data/certificate.yaml`,
  );
  const validation = context.at("combined_validation_context");
  closedKeys(validation, ["default_validation_context", "validation_context_sds_secret_config"], findings);
  const zone = trustedZone(validation.at("validation_context_sds_secret_config"), scope);
  const defaults = validation.at("default_validation_context");
  closedKeys(defaults, ["match_typed_subject_alt_names"], findings);
  const matchers = defaults.at("match_typed_subject_alt_names");
  if (matchers.items().length === 0) {
    findings.add(
      matchers,
      "the context accepts every certificate of the roots it trusts",
      "name each peer's exact URI SAN",
    );
  }
  if (zone === undefined) return undefined;
  return { zone, parties: matchers.items().flatMap((matcher) => partiesOf(matcher, zone, scope, identities)) };
}

/** Whether there is such a zone: here, or in a datacenter that a link leads to or from. */
export function isZone(zone: string, ceiling: EdgeCeiling): boolean {
  return (
    Object.hasOwn(ceiling.members, anywhere(zone)) &&
    (!isElsewhere(zone) || linkTo(datacenterOf(zone), ceiling) !== undefined)
  );
}

/** The zone whose roots are trusted: one, from its own file. */
function trustedZone(secret: Field, scope: Scope): string | undefined {
  const zone = /^trust\/([a-z]+(?:\.[a-z0-9-]+)?)$/.exec(secret.at("name").text() ?? "")?.[1];
  if (
    zone !== undefined &&
    isZone(zone, scope.ceiling) &&
    readsFile(secret, `trust/${zone}`, CONFIG_FOLDER, `${zone}.yaml`, scope)
  ) {
    return zone;
  }
  scope.findings.add(
    secret,
    "the context does not trust exactly one zone's roots",
    `take the secret \`trust/<zone>\` from ${CONFIG_FOLDER}/..data/<zone>.yaml`,
  );
  return undefined;
}

/** From the volume's `..data`, by which kubelet changes all of its files at once. */
export function readsFile(secret: Field, name: string, folder: string, file: string, { findings }: Scope): boolean {
  const source = secret.at("sds_config", "path_config_source");
  closedKeys(secret, ["name", "sds_config"], findings);
  closedKeys(secret.at("sds_config"), ["path_config_source", "resource_api_version"], findings);
  return (
    secret.at("name").is(name) &&
    source.at("path").is(`${folder}/..data/${file}`) &&
    source.at("watched_directory", "path").is(folder)
  );
}

function partiesOf(matcher: Field, zone: string, scope: Scope, identities: "exact" | "prefix"): string[] {
  const datacenter = scope.ceiling.datacenter?.name;
  closedKeys(matcher, ["san_type", "matcher"], scope.findings);
  closedKeys(matcher.at("matcher"), identities === "exact" ? ["exact"] : ["exact", "prefix"], scope.findings);
  const exact = matcher.at("matcher", "exact").text();
  if (
    identities === "prefix" &&
    exact === undefined &&
    matcher
      .at("matcher", "prefix")
      .isOneOf([identityOf(zone, "", datacenter), `spiffe://${trustDomainOf(zone, datacenter)}/`])
  ) {
    return [`${zone}/*`];
  }
  const party = partyOfIdentity(exact ?? "", datacenter);
  if (matcher.at("san_type").is("URI") && party?.startsWith(`${zone}/`) === true) return [party];
  scope.findings.add(
    matcher,
    `the matcher names no exact identity of zone ${zone}`,
    `match san_type URI, exact ${identityOf(zone, "<service>", datacenter)}`,
  );
  return [];
}
