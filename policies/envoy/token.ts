import type { Field } from "../judgement/field";
import { datacenterOf, planeOf, type Scope } from "./scope";
import { closedKeys, extensionOf, isType } from "./shape";
import { readsFile } from "./tls";

/** The mesh's own names of the second factor, as its sidecars agree on them. */
const HEADER = "x-lucid-identity-token";
const AUDIENCE = "mesh.lucid.internal";
const CLAIMS = "identity";
const CHECK = "identity-token";
const CONFIG = "/etc/envoy/config";
const TOKEN = "/etc/envoy/token";
const TUNNEL_STATE = "lucid.identity-token";
const JWT = "envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication";
/** Beyond kubelet's tokens (600 s) and a clock that is a little off, none is taken. */
const LONGEST_SECONDS = 630;
const LARGEST_SKEW_SECONDS = 30;
/** A key that nobody has, as a digest has no private part: SHA-256 of "nobody". */
const NOBODYS_KEY =
  '{"keys":[{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","use":"sig","x":"Y4KzzIgUErd7_K7tAmABwA2eMCXmbCD25-kvB5hRRio"}]}';

/** Whether an HTTP filter is found by discovery: only the check of identity tokens may be, and {@link checkTokenFilter} judges it. */
export function isDiscovered(filter: Field): boolean {
  return filter.has("config_discovery");
}

/**
 * Checks the filter that asks for a caller's token: its configuration is the one file that the controller keeps, and nothing stands in for it. Of callers in another
 * datacenter it is the file with that one's keys, whoever a token says issued it.
 *
 * @param zone whose callers come
 */
export function checkTokenFilter(filter: Field, zone: string | undefined, { findings }: Scope): void {
  const elsewhere = zone === undefined ? undefined : datacenterOf(zone);
  const [check, keys] = [CHECK, "tokens"].map((name) => (elsewhere === undefined ? name : `${name}.${elsewhere}`));
  closedKeys(filter, ["name", "config_discovery"], findings);
  const discovery = filter.at("config_discovery");
  closedKeys(discovery, ["config_source", "type_urls"], findings);
  const source = discovery.at("config_source");
  closedKeys(source, ["path_config_source", "resource_api_version"], findings);
  const file = source.at("path_config_source");
  const types = discovery.at("type_urls").texts();
  findings.require(
    filter.at("name").is(check ?? "") &&
      file.at("path").is(`${CONFIG}/..data/${keys ?? ""}.yaml`) &&
      file.at("watched_directory", "path").is(CONFIG) &&
      types.length === 1 &&
      types[0] === `type.googleapis.com/${JWT}`,
    filter,
    "a filter is found by discovery that is not the check of identity tokens",
    `take \`${check ?? ""}\` from ${CONFIG}/..data/${keys ?? ""}.yaml, of the type ${JWT} alone`,
  );
}

/** A second check of tokens (of end users, say) may not write where authorization looks for the caller's. */
export function checkOtherTokens(config: Field, { findings }: Scope): void {
  for (const [, provider] of config.at("providers").entries()) {
    findings.require(
      !provider.at("payload_in_metadata").isUnknown && !provider.at("payload_in_metadata").is(CLAIMS),
      provider.at("payload_in_metadata"),
      "another token's claims would stand for the caller's identity",
      `keep them under another key than ${CLAIMS}`,
    );
  }
}

/** Checks that a principal asks for the token of exactly this party. */
export function namesTokenOf(id: Field, party: string, { findings }: Scope): boolean {
  closedKeys(id, ["sourced_metadata"], findings);
  const sourced = id.at("sourced_metadata");
  closedKeys(sourced, ["metadata_matcher"], findings);
  const matcher = sourced.at("metadata_matcher");
  closedKeys(matcher, ["filter", "path", "value"], findings);
  closedKeys(matcher.at("value"), ["string_match"], findings);
  closedKeys(matcher.at("value", "string_match"), ["exact"], findings);
  const path = matcher.at("path").items();
  path.forEach((step) => {
    closedKeys(step, ["key"], findings);
  });
  const [zone = "", service = ""] = party.split("/");
  return (
    matcher.at("filter").is("envoy.filters.http.jwt_authn") &&
    path.map((step) => step.at("key").text()).join() === `${CLAIMS},sub` &&
    matcher.at("value", "string_match", "exact").is(`system:serviceaccount:lucid-${planeOf(zone)}:${service}`)
  );
}

/** Checks that whatever leaves through a cluster bears the sidecar's own token; or, for the application's own ports, that no token ever does. */
export function checkPresentsToken(cluster: Field, expected: boolean, scope: Scope): void {
  const { findings } = scope;
  const options = cluster.at("typed_extension_protocol_options");
  const protocol = options.at("envoy.extensions.upstreams.http.v3.HttpProtocolOptions");
  if (!options.isAbsent) {
    closedKeys(options, ["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"], findings);
    closedKeys(protocol, ["@type", "common_http_protocol_options", "explicit_http_config", "http_filters"], findings);
  }
  const filters = protocol.at("http_filters");
  if (!expected) {
    findings.require(
      filters.isAbsent,
      filters,
      "something is added to what the application is sent",
      "take the cluster's HTTP filters out",
    );
    return;
  }
  const names = ["envoy.filters.http.credential_injector", "envoy.filters.http.upstream_codec"];
  const found = filters.items().map((filter) => extensionOf(filter, names, findings));
  findings.require(
    found.map((filter) => filter?.name).join() === names.join(),
    filters,
    "calls leave without the sidecar's identity token",
    `let them pass ${names.join(" and then ")}`,
  );
  const [injector] = found;
  if (injector !== undefined) checkInjector(injector.config, scope);
}

function checkInjector(injector: Field, scope: Scope): void {
  const { findings } = scope;
  closedKeys(injector, ["@type", "overwrite", "allow_request_without_credential", "credential"], findings);
  findings.require(
    injector.at("overwrite").is(true),
    injector.at("overwrite"),
    "the application could choose the token that its calls bear",
    "set overwrite: true",
  );
  findings.require(
    injector.at("allow_request_without_credential").isAbsentOr(false),
    injector.at("allow_request_without_credential"),
    "calls could leave without a token",
    "set allow_request_without_credential: false",
  );
  const credential = extensionOf(injector.at("credential"), ["envoy.http.injected_credentials.generic"], findings);
  if (credential === undefined) return;
  closedKeys(credential.config, ["@type", "credential", "header"], findings);
  findings.require(
    credential.config.at("header").is(HEADER) &&
      readsFile(credential.config.at("credential"), "token", CONFIG, "credential.yaml", scope),
    credential.config,
    "the credential is not the sidecar's identity token in its own header",
    `take the secret \`token\` from ${CONFIG}/..data/credential.yaml, and put it into ${HEADER}`,
  );
}

/** Checks the network filter that takes the token for a tunnelled connection. */
export function checkTunnelToken(config: Field, { findings }: Scope): void {
  closedKeys(config, ["@type", "on_new_connection"], findings);
  const values = config.at("on_new_connection").items();
  findings.require(values.length === 1, config.at("on_new_connection"), "more than the token is kept", "keep one");
  for (const value of values) {
    closedKeys(value, ["object_key", "factory_key", "format_string"], findings);
    const format = value.at("format_string");
    closedKeys(format, ["text_format_source", "formatters"], findings);
    closedKeys(format.at("text_format_source"), ["inline_string"], findings);
    const formatters = format
      .at("formatters")
      .items()
      .map((formatter) => extensionOf(formatter, ["envoy.formatter.file_content"], findings)?.config);
    formatters.forEach((formatter) => {
      if (formatter !== undefined) closedKeys(formatter, ["@type"], findings);
    });
    findings.require(
      formatters.length === 1,
      format.at("formatters"),
      "nothing, or more than one thing, reads the file that the token is in",
      "name envoy.formatter.file_content, once",
    );
    findings.require(
      value.at("object_key").is(TUNNEL_STATE) &&
        value.at("factory_key").is("envoy.string") &&
        format.at("text_format_source", "inline_string").is(`%FILE_CONTENT(${TOKEN}/token:${TOKEN})%`),
      value,
      "what is kept is not the sidecar's identity token",
      `keep ${TOKEN}/token under ${TUNNEL_STATE}`,
    );
  }
}

/** What a gateway's tunnel is to: the server name of the call that it passes on, which its filter chain has matched. */
const PASSED_ON = "%REQUESTED_SERVER_NAME%:15001";

/** Checks the tunnel of a TCP proxy: it bears the token and nothing else. @param passes whether it is a gateway's, which passes on what others began */
export function checkTunnel(tunnel: Field, passes: boolean, { findings }: Scope): void {
  closedKeys(tunnel, ["hostname", "headers_to_add"], findings);
  const host = tunnel.at("hostname").text() ?? "";
  findings.require(
    passes ? host === PASSED_ON : /^[a-z0-9-]+\.lucid\.internal:\d+$/.test(host),
    tunnel.at("hostname"),
    "the tunnel is to nobody",
    passes ? `name it ${PASSED_ON}` : "name the callee and its port, as <service>.lucid.internal:<port>",
  );
  const headers = tunnel.at("headers_to_add").items();
  findings.require(headers.length === 1, tunnel, "the tunnel does not bear exactly one header", "add the token's");
  for (const header of headers) {
    closedKeys(header, ["header", "append_action"], findings);
    closedKeys(header.at("header"), ["key", "value"], findings);
    findings.require(
      header.at("header", "key").is(HEADER) &&
        header.at("header", "value").is(`%FILTER_STATE(${TUNNEL_STATE}:PLAIN)%`) &&
        header.at("append_action").is("OVERWRITE_IF_EXISTS_OR_ADD"),
      header,
      "the tunnel's header is not the identity token",
      `put %FILTER_STATE(${TUNNEL_STATE}:PLAIN)% into ${HEADER}`,
    );
  }
}

/** Checks `credential.yaml`: the token comes from the volume of the sidecar alone. */
export function checkCredential(file: Field, { findings }: Scope): void {
  closedKeys(file, ["version_info", "resources"], findings);
  for (const secret of file.at("resources").items()) {
    closedKeys(secret, ["@type", "name", "generic_secret"], findings);
    closedKeys(secret.at("generic_secret"), ["secret"], findings);
    closedKeys(secret.at("generic_secret", "secret"), ["filename"], findings);
    findings.require(
      isType(secret, "envoy.extensions.transport_sockets.tls.v3.Secret") &&
        secret.at("name").is("token") &&
        secret.at("generic_secret", "secret", "filename").is(`${TOKEN}/token`),
      secret,
      "the credential does not come from the sidecar's own token",
      `name the file ${TOKEN}/token`,
    );
  }
}

/**
 * Checks `tokens.yaml`: each request needs a token of the mesh's audience, and the file as the stack has it believes nobody. Whose tokens are believed is the
 * controller's to write, from the API server's own word; a stack that brought keys could issue identities.
 */
export function checkTokens(file: Field, scope: Scope): void {
  checkTokenFile(file, CHECK, checkNobodys, scope);
}

/** Checks `tokens.<datacenter>.yaml`: each request needs a token of the mesh's audience, by that datacenter's keys. Whose those are is said by who declares them. */
export function checkTokensElsewhere(file: Field, datacenter: string, scope: Scope): void {
  checkTokenFile(file, `${CHECK}.${datacenter}`, checkPublicKeys, scope);
}

type CheckKeys = (provider: Field, findings: Scope["findings"]) => void;

function checkTokenFile(file: Field, name: string, checkKeys: CheckKeys, { findings }: Scope): void {
  closedKeys(file, ["version_info", "resources"], findings);
  const resources = file.at("resources").items();
  findings.require(resources.length === 1, file, "the file has not exactly one extension", `keep ${name}`);
  for (const extension of resources) {
    closedKeys(extension, ["@type", "name", "typed_config"], findings);
    const check = extension.at("typed_config");
    findings.require(
      isType(extension, "envoy.config.core.v3.TypedExtensionConfig") &&
        extension.at("name").is(name) &&
        isType(check, JWT),
      extension,
      "the extension is not the check of identity tokens",
      `name it ${name}, of the type ${JWT}`,
    );
    closedKeys(check, ["@type", "providers", "rules"], findings);
    closedKeys(check.at("providers"), ["cluster"], findings);
    checkProvider(check.at("providers", "cluster"), findings);
    checkKeys(check.at("providers", "cluster"), findings);
    const rules = check.at("rules").items();
    findings.require(rules.length > 0, check.at("rules"), "no request needs a token", "require the provider `cluster`");
    for (const rule of rules) {
      closedKeys(rule, ["match", "requires"], findings);
      // Any further way (`allow_missing`, `requires_any`) would be a key beside the provider's name.
      closedKeys(rule.at("requires"), ["provider_name"], findings);
      findings.require(
        rule.at("requires", "provider_name").is("cluster"),
        rule,
        "a request passes without a token",
        "require the provider `cluster`",
      );
    }
  }
}

function checkProvider(provider: Field, findings: Scope["findings"]): void {
  closedKeys(
    provider,
    [
      "issuer",
      "audiences",
      "max_lifetime",
      "clock_skew_seconds",
      "local_jwks",
      "from_headers",
      "forward",
      "payload_in_metadata",
      "jwt_cache_config",
    ],
    findings,
  );
  const must = (holds: boolean, field: Field, problem: string, mend: string) => {
    findings.require(holds, field, problem, mend);
  };
  const audiences = provider.at("audiences").texts();
  must(
    audiences.length === 1 && audiences[0] === AUDIENCE,
    provider.at("audiences"),
    "tokens for others than the mesh are taken",
    `take ${AUDIENCE} alone`,
  );
  const lifetime = /^(\d+)s$/.exec(provider.at("max_lifetime").text() ?? "")?.[1];
  must(
    lifetime !== undefined && Number(lifetime) <= LONGEST_SECONDS,
    provider.at("max_lifetime"),
    "tokens of a longer life than kubelet asks for are taken",
    `set max_lifetime of ${String(LONGEST_SECONDS)}s at most`,
  );
  const skew = provider.at("clock_skew_seconds").number();
  must(
    skew !== undefined && skew > 0 && skew <= LARGEST_SKEW_SECONDS,
    provider.at("clock_skew_seconds"),
    "an expired token goes on being taken (Envoy takes one for a minute unless told otherwise)",
    `set clock_skew_seconds to ${String(LARGEST_SKEW_SECONDS)} at most`,
  );
  const headers = provider.at("from_headers").items();
  headers.forEach((header) => {
    closedKeys(header, ["name"], findings);
  });
  must(
    headers.length === 1 && headers.every((header) => header.at("name").is(HEADER)),
    provider.at("from_headers"),
    "the token is looked for elsewhere than in its own header",
    `look in ${HEADER} alone`,
  );
  must(
    provider.at("forward").isAbsentOr(false),
    provider.at("forward"),
    "the application would be given its caller's token",
    "set forward: false",
  );
  must(
    provider.at("payload_in_metadata").is(CLAIMS),
    provider.at("payload_in_metadata"),
    "authorization does not find the token's claims",
    `set payload_in_metadata: ${CLAIMS}`,
  );
  closedKeys(provider.at("local_jwks"), ["inline_string"], findings);
}

/** As the stack has it, the file believes nobody. */
function checkNobodys(provider: Field, findings: Scope["findings"]): void {
  findings.require(
    provider.at("issuer").is("https://nobody.invalid") && provider.at("local_jwks", "inline_string").is(NOBODYS_KEY),
    provider,
    "the stack itself says whose tokens are believed",
    "leave that to the controller, which asks the API server: render the file with envoy/",
  );
}

/** Public keys, one at least: a shared one would let whoever checks tokens make them. */
function checkPublicKeys(provider: Field, findings: Scope["findings"]): void {
  const keys = keysIn(provider.at("local_jwks", "inline_string").text() ?? "");
  findings.require(
    /^https:\/\/\S+$/.test(provider.at("issuer").text() ?? "") &&
      keys.length > 0 &&
      keys.every((key) => ["RSA", "EC", "OKP"].includes(String(key.kty)) && !("d" in key)),
    provider,
    "tokens of another datacenter are not checked by public keys of an issuer",
    "name its issuer, and the keys of its cluster as a JSON Web Key Set",
  );
}

function keysIn(text: string): readonly Readonly<Record<string, unknown>>[] {
  try {
    const set = JSON.parse(text) as { readonly keys?: unknown };
    return Array.isArray(set.keys) ? (set.keys as Record<string, unknown>[]) : [];
  } catch {
    return [];
  }
}
