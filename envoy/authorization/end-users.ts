import type { ClaimRequirement, EndUserRule, EndUsers, ServicePort } from "../../mesh/model";
import { extension, type Message } from "../message";
import { allOf, anyOf, ruleMatcher } from "./rbac";

/** Names of the filters: others of the same types stand beside them, and none may take another's settings. */
export const END_USER_FILTERS = {
  strip: "envoy.filters.http.header_mutation.end_users",
  token: "envoy.filters.http.jwt_authn.end_users",
  claims: "envoy.filters.http.rbac.end_users",
} as const;

/** Header with the verified claims, base64url of JSON; whatever a request brings under this name is removed. */
export const CLAIMS_HEADER = "x-end-user-claims";

/** Namespace of what jwt_authn found; it is the same for every filter of the type. */
const NAMESPACE = "envoy.filters.http.jwt_authn";
/** Key of the verified claims in it: our own, so that no other token's claims are taken for an end user's. */
const PAYLOAD = "end_user";
const PROVIDER = "end_users";

/** What a record of the access log tells of the end user: who it is, and by which rule he was let in or refused. */
export const END_USER_FIELDS: Message = {
  endUser: `%DYNAMIC_METADATA(${NAMESPACE}:${PAYLOAD}:sub)%`,
  endUserVerdict: "%DYNAMIC_METADATA(envoy.filters.http.rbac:end_users_enforced_engine_result)%",
  endUserRule: "%DYNAMIC_METADATA(envoy.filters.http.rbac:end_users_enforced_effective_policy_id)%",
};

/**
 * The filters by which a port's end users are told, after the caller itself was authorized: the first removes what only we may say, the second verifies
 * the token (401), the third its claims (403). None where the port has no end users.
 *
 * @see https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/jwt_authn_filter
 */
export function endUserFilters(serverName: string, { endUsers }: ServicePort): Message[] {
  return endUsers === undefined ? [] : [strip(), verifyToken(endUsers), requireClaims(serverName, endUsers)];
}

function strip(): Message {
  const type = "envoy.extensions.filters.http.header_mutation.v3.HeaderMutation";
  return extension(END_USER_FILTERS.strip, type, { mutations: { request_mutations: [{ remove: CLAIMS_HEADER }] } });
}

function verifyToken(users: EndUsers): Message {
  const needed: Message = { requires: { provider_name: PROVIDER } };
  return extension(END_USER_FILTERS.token, "envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication", {
    providers: {
      [PROVIDER]: {
        issuer: users.issuer,
        audiences: users.audiences,
        require_expiration: true,
        local_jwks: { inline_string: users.keySet },
        ...tokenPlace(users),
        forward: users.forwardToken,
        ...(users.forwardClaims ? { forward_payload_header: CLAIMS_HEADER } : {}),
        payload_in_metadata: PAYLOAD,
        // `scope: "a b"` (RFC 8693, section 4.2) becomes a list, so that one scope can be asked for.
        normalize_payload_in_metadata: { space_delimited_claims: ["scope"] },
        clock_skew_seconds: users.clockSkewSeconds,
        jwt_cache_config: { jwt_cache_size: 100 },
      },
    },
    rules: [
      ...users.rules.flatMap((rule) =>
        routeMatches(rule).map((match) => ({ match, ...(rule.anonymous ? {} : needed) })),
      ),
      { match: { prefix: "/" }, ...needed },
    ],
    bypass_cors_preflight: true,
  });
}

/** Said in full: unsaid, Envoy would take a token from the query (`access_token`) too, and queries are kept in logs. */
function tokenPlace({ token }: EndUsers): Message {
  switch (token.kind) {
    case "bearer":
      return { from_headers: [{ name: "authorization", value_prefix: "Bearer " }] };
    case "header":
      return { from_headers: [{ name: token.name }] };
    case "cookie":
      return { from_cookies: [token.name] };
  }
}

/** One match for each method and path, for a route match has one of each at most. */
function routeMatches({ methods, paths }: EndUserRule): Message[] {
  const places = paths.length === 0 ? [{ prefix: "/" }] : paths.map(pathMatch);
  const headers = methods.map((method) => ({ headers: [{ name: ":method", string_match: { exact: method } }] }));
  return places.flatMap((place) =>
    headers.length === 0 ? [place] : headers.map((header) => ({ ...place, ...header })),
  );
}

function pathMatch(path: string): Message {
  return path.endsWith("*") ? { prefix: path.slice(0, -1) } : { path };
}

/**
 * The first rule that fits decides, so each policy excludes what the rules before it are about. What brought no verified token has no claims at all,
 * and so fits no policy but those that ask none.
 */
function requireClaims(serverName: string, users: EndUsers): Message {
  const server: Message = { requested_server_name: { exact: serverName } };
  const policies = users.rules.map((rule, index): [string, Message] => {
    const token = rule.anonymous ? [] : oneToken(users);
    const fits = [server, ruleMatcher(rule), ...noneOf(users.rules.slice(0, index)), ...token];
    const principals = rule.anonymous ? [{ any: true }] : [allIds(users, [...users.claims, ...rule.claims])];
    return [`rule-${String(index)}`, { permissions: [allOf(fits)], principals }];
  });
  const others = {
    permissions: [allOf([server, ...noneOf(users.rules), ...oneToken(users)])],
    principals: [allIds(users, users.claims)],
  };
  return extension(END_USER_FILTERS.claims, "envoy.extensions.filters.http.rbac.v3.RBAC", {
    rules: {
      action: "ALLOW",
      policies: Object.fromEntries([
        ...policies,
        ["others", others],
        ["preflight", { permissions: [allOf([server, ...PREFLIGHT])], principals: [{ any: true }] }],
      ]),
    },
    rules_stat_prefix: "end_users_",
    track_per_rule_stats: true,
  });
}

/** A browser asks before a request of another origin whether it may, and can't bring a token then (Fetch standard, CORS-preflight). */
const PREFLIGHT: readonly Message[] = [
  { header: { name: ":method", string_match: { exact: "OPTIONS" } } },
  { header: { name: "origin", present_match: true } },
  { header: { name: "access-control-request-method", present_match: true } },
];

/**
 * Where the token goes on to the application, it is the only one: of two in a request Envoy verifies the first it finds, and the application might read the
 * other.
 */
function oneToken({ token, forwardToken }: EndUsers): Message[] {
  const matches = (name: string, regex: string): Message => ({
    header: { name, string_match: { safe_regex: { regex } } },
  });
  if (token.kind === "cookie") {
    const name = `\\s*${token.name.replaceAll(".", "\\.")}\\s*=`;
    return [{ not_rule: matches("cookie", `(.*;)?${name}.*;${name}.*`) }];
  }
  return token.kind === "bearer" && forwardToken
    ? [matches("authorization", "Bearer [\\w-]+\\.[\\w-]+\\.[\\w-]+")]
    : [];
}

function noneOf(rules: readonly EndUserRule[]): Message[] {
  return rules.length === 0 ? [] : [{ not_rule: anyOf(rules.map(ruleMatcher)) }];
}

function allIds(users: EndUsers, claims: readonly ClaimRequirement[]): Message {
  const ids = [{ path: ["iss"], values: [users.issuer] }, ...claims].map(({ path, values }) => ({
    sourced_metadata: {
      metadata_matcher: {
        filter: NAMESPACE,
        path: [PAYLOAD, ...path].map((key) => ({ key })),
        value: { or_match: { value_matchers: values.flatMap(valueMatchers) } },
      },
    },
  }));
  const [only] = ids;
  return only !== undefined && ids.length === 1 ? only : { and_ids: { ids } };
}

/** A claim says a value as its text, as one element of its list, or as the truth value of that name. */
function valueMatchers(value: string): Message[] {
  const text: Message = { string_match: { exact: value } };
  const truth = value === "true" || value === "false" ? [{ bool_match: value === "true" }] : [];
  return [text, { list_match: { one_of: text } }, ...truth];
}
