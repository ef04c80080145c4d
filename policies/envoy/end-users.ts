import type { Field } from "../judgement/field";
import { parseJson } from "./files";
import type { Scope } from "./scope";
import { closedKeys, type NamedFilter } from "./shape";

const STRIP = "envoy.filters.http.header_mutation.end_users";
const TOKEN = "envoy.filters.http.jwt_authn.end_users";
const CLAIMS = "envoy.filters.http.rbac.end_users";
/** The filters by which end users are told, in the order in which they must stand. */
export const END_USER_FILTERS = [STRIP, TOKEN, CLAIMS];

const CLAIMS_HEADER = "x-end-user-claims";
const NAMESPACE = "envoy.filters.http.jwt_authn";
const PAYLOAD = "end_user";
const PROVIDER = "end_users";
const MAX_CLOCK_SKEW = 300;

/** Members of a key that can check a signature and can't make one. */
const PUBLIC_MEMBERS = ["kty", "kid", "use", "alg", "n", "e", "crv", "x", "y"];

/** Checks the filters of end users: all three, after the caller's own authorization, none of them open to requests that bring no good token. */
export function checkEndUsers(list: Field, filters: readonly NamedFilter[], scope: Scope): void {
  const present = filters.filter(({ name }) => END_USER_FILTERS.includes(name));
  if (present.length === 0) return;
  const caller = filters.findIndex(({ name }) => name === "envoy.filters.http.rbac");
  const [first] = present;
  scope.findings.require(
    present.map(({ name }) => name).join() === END_USER_FILTERS.join() &&
      caller >= 0 &&
      caller < (first === undefined ? -1 : filters.indexOf(first)),
    list,
    "the filters of end users are not all there, in their order and after the caller's RBAC",
    `let ${END_USER_FILTERS.join(", ")} follow envoy.filters.http.rbac`,
  );
  for (const { name, config } of present) {
    if (name === STRIP) checkStrip(config, scope);
    else if (name === TOKEN) checkToken(config, scope);
    else checkClaims(config, scope);
  }
}

/** What the application takes for verified claims never comes from a request. */
function checkStrip(config: Field, { findings }: Scope): void {
  closedKeys(config, ["@type", "mutations"], findings);
  closedKeys(config.at("mutations"), ["request_mutations"], findings);
  const mutations = config.at("mutations", "request_mutations").items();
  for (const mutation of mutations) closedKeys(mutation, ["remove"], findings);
  findings.require(
    mutations.length === 1 && mutations.every((mutation) => mutation.at("remove").is(CLAIMS_HEADER)),
    config,
    "a request could bring claims that nobody verified",
    `remove ${CLAIMS_HEADER}, and nothing else`,
  );
}

function checkToken(config: Field, scope: Scope): void {
  const { findings } = scope;
  closedKeys(config, ["@type", "providers", "rules", "bypass_cors_preflight"], findings);
  const providers = config.at("providers");
  closedKeys(providers, [PROVIDER], findings);
  checkProvider(providers.at(PROVIDER), scope);
  const rules = config.at("rules").items();
  rules.forEach((rule, index) => {
    closedKeys(rule, ["match", "requires"], findings);
    closedKeys(rule.at("match"), ["prefix", "path", "headers"], findings);
    const needed = rule.has("requires");
    const everything = rule.at("match", "prefix").is("/") && !rule.has("headers") && !rule.at("match").has("headers");
    closedKeys(rule.at("requires"), ["provider_name"], findings);
    findings.require(
      needed ? rule.at("requires", "provider_name").is(PROVIDER) : !everything,
      rule,
      "requests are let in without a verified token",
      `require provider_name: ${PROVIDER}, or name the paths that need none`,
    );
    if (index === rules.length - 1) {
      findings.require(
        needed && everything,
        rule,
        "what no rule names needs no token",
        "require one last, for prefix /",
      );
    }
  });
  findings.require(rules.length > 0, config.at("rules"), "no request needs a token", "require one for prefix /");
}

function checkProvider(provider: Field, { findings }: Scope): void {
  closedKeys(
    provider,
    [
      "issuer",
      "audiences",
      "require_expiration",
      "local_jwks",
      "from_headers",
      "from_cookies",
      "forward",
      "forward_payload_header",
      "payload_in_metadata",
      "normalize_payload_in_metadata",
      "clock_skew_seconds",
      "jwt_cache_config",
    ],
    findings,
  );
  const must = (holds: boolean, key: string, problem: string, mend: string) => {
    findings.require(holds, provider.at(key), problem, mend);
  };
  must((provider.at("issuer").text() ?? "") !== "", "issuer", "tokens of any issuer are taken", "name the issuer");
  must(
    provider
      .at("audiences")
      .texts()
      .some((audience) => audience !== "") && !provider.at("audiences").texts().includes(""),
    "audiences",
    "tokens for other services are taken",
    "name the service's audience",
  );
  must(provider.at("require_expiration").is(true), "require_expiration", "a token may live for ever", "set it to true");
  must(
    provider.has("from_headers") !== provider.has("from_cookies"),
    "from_headers",
    "the token's place is not said, so a query could hold it",
    "say one header or one cookie",
  );
  must(
    provider.at("forward_payload_header").isAbsentOr(CLAIMS_HEADER),
    "forward_payload_header",
    "verified claims go into a header that is not cleared before",
    `name it ${CLAIMS_HEADER}`,
  );
  must(
    provider.at("payload_in_metadata").is(PAYLOAD),
    "payload_in_metadata",
    "claims are kept where another token's lie",
    `name it ${PAYLOAD}`,
  );
  const skew = provider.at("clock_skew_seconds").number() ?? 0;
  must(
    skew >= 1 && skew <= MAX_CLOCK_SKEW,
    "clock_skew_seconds",
    "an expired token is taken for minutes",
    `write 1 to ${String(MAX_CLOCK_SKEW)}`,
  );
  for (const header of provider.at("from_headers").items()) closedKeys(header, ["name", "value_prefix"], findings);
  checkKeys(provider.at("local_jwks"), findings);
}

/** Public keys of asymmetric algorithms: with a shared one, whoever reads the configuration could make tokens. */
function checkKeys(source: Field, findings: Scope["findings"]): void {
  closedKeys(source, ["inline_string"], findings);
  const set = parseJson(source.at("inline_string"));
  closedKeys(set, ["keys"], findings);
  const keys = set.at("keys").items();
  findings.require(keys.length > 0, source, "there is no key to check tokens with", "write the issuer's public keys");
  for (const key of keys) {
    closedKeys(key, PUBLIC_MEMBERS, findings);
    findings.require(
      key.at("kty").isOneOf(["RSA", "EC", "OKP"]),
      key.at("kty"),
      "the key is no public one",
      "write an RSA, EC or OKP key",
    );
  }
}

function checkClaims(config: Field, scope: Scope): void {
  const { findings } = scope;
  closedKeys(config, ["@type", "rules", "rules_stat_prefix", "track_per_rule_stats"], findings);
  findings.require(
    config.at("rules_stat_prefix").is("end_users_"),
    config.at("rules_stat_prefix"),
    "its counters would be those of the caller's RBAC",
    "set rules_stat_prefix: end_users_",
  );
  const rules = config.at("rules");
  closedKeys(rules, ["action", "policies"], findings);
  findings.require(
    rules.at("action").is("ALLOW"),
    rules.at("action"),
    "the filter does not refuse what it does not name",
    "set action: ALLOW",
  );
  const policies = rules.at("policies").entries();
  findings.require(policies.length > 0, rules.at("policies"), "the filter names no policy", "name one for each rule");
  for (const [, policy] of policies) {
    closedKeys(policy, ["permissions", "principals"], findings);
    const permissions = policy.at("permissions").items();
    const principals = policy.at("principals").items();
    findings.require(
      permissions.length === 1 && principals.length === 1,
      policy,
      "the policy does not say one thing of one user",
      "give it one permission and one principal",
    );
    const anonymous = principals.some((principal) => principal.has("any"));
    for (const permission of permissions) checkPermission(permission, anonymous, scope);
    for (const principal of principals) checkPrincipal(principal, scope);
  }
}

/** Whoever needs no token may ask for some paths or methods only: those that a permission names, not all but some. */
function checkPermission(permission: Field, anonymous: boolean, { findings }: Scope): void {
  const parts = permission.has("and_rules") ? permission.at("and_rules", "rules").items() : [permission];
  findings.require(
    parts.some((part) => part.has("requested_server_name")) && parts.every((part) => part.keys().length === 1),
    permission,
    "the permission does not name the server name that it belongs to",
    "name it by requested_server_name.exact",
  );
  findings.require(
    !anonymous ||
      parts.some((part) => ["header", "url_path", "and_rules", "or_rules"].some((kind) => narrows(part, kind))),
    permission,
    "requests of every kind are let in without a token",
    "name the paths or methods that need none",
  );
}

function narrows(part: Field, kind: string): boolean {
  if (!part.has(kind)) return false;
  // By any other header a request would name itself as one that needs no token.
  if (kind === "header") return part.at("header", "name").is(":method") && part.at("header", "invert_match").isAbsent;
  if (kind === "url_path") return !part.at("url_path", "path", "prefix").isOneOf(["", "/"]);
  const inner = part.at(kind, "rules").items();
  const kinds = ["header", "url_path", "and_rules", "or_rules"];
  const each = (rule: Field) => kinds.some((candidate) => narrows(rule, candidate));
  return kind === "and_rules" ? inner.some(each) : inner.length > 0 && inner.every(each);
}

/** Nobody in particular, or who has a verified token of this issuer, with claims from it. */
function checkPrincipal(principal: Field, { findings }: Scope): void {
  if (principal.at("any").is(true) && principal.keys().length === 1) return;
  const ids = principal.has("and_ids") ? principal.at("and_ids", "ids").items() : [principal];
  const paths = ids.map((id) => {
    closedKeys(id, ["sourced_metadata"], findings);
    closedKeys(id.at("sourced_metadata"), ["metadata_matcher"], findings);
    const matcher = id.at("sourced_metadata", "metadata_matcher");
    closedKeys(matcher, ["filter", "path", "value"], findings);
    closedKeys(matcher.at("value"), ["or_match"], findings);
    const path = matcher
      .at("path")
      .items()
      .map((step) => step.at("key").text() ?? "");
    findings.require(
      matcher.at("filter").is(NAMESPACE) && path[0] === PAYLOAD && path.length > 1,
      matcher,
      "the claim is not one of the verified end user's token",
      `read it from ${NAMESPACE}, ${PAYLOAD}`,
    );
    return path.slice(1).join();
  });
  findings.require(
    paths.includes("iss"),
    principal,
    "the policy does not ask for a verified token",
    "ask for its issuer by the claim iss",
  );
}
