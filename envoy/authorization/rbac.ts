import type { EdgeRule, Service } from "../../mesh/model";
import { tokenOf } from "../identity/identity-token";
import { hasOnly } from "../identity/single-identity";
import { extension, type Message } from "../message";

/** Somebody who may call, and what he may ask. */
export interface Grant {
  /** The caller. Its name becomes the policy's name and a label of its counters. */
  readonly caller: Pick<Service, "name" | "namespace" | "identity">;
  /** What may be asked; empty means everything behind this server name. */
  readonly rules: readonly EdgeRule[];
  /** First instant (UTC) from which it allows nothing; absent: it has no end. */
  readonly until?: string;
}

/**
 * HTTP authorization: what no grant allows is answered 403. Every permission names the server name (SNI) it belongs to, so that none reads
 * "any", and a policy that came into a foreign filter chain would allow nothing there.
 *
 * @see https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/rbac_filter
 */
export function httpRbac(serverName: string, grants: readonly Grant[]): Message {
  return extension("envoy.filters.http.rbac", "envoy.extensions.filters.http.rbac.v3.RBAC", {
    rules: { action: "ALLOW", policies: policies(serverName, grants) },
    track_per_rule_stats: true,
  });
}

function policies(serverName: string, grants: readonly Grant[]): Message {
  return Object.fromEntries(
    grants.map(({ caller, rules, until }) => [
      caller.name,
      {
        permissions: [permission(serverName, rules)],
        principals: [principal(caller)],
        ...(until === undefined ? {} : { condition: before(until) }),
      },
    ]),
  );
}

/**
 * `request.time < timestamp(end)`, as the expression tree that a policy's condition is (google.api.expr.v1alpha1.Expr). It is asked for each request, so a
 * grant ends by itself, on connections that stand as well. Where the expression can't be evaluated the policy does not match: it fails closed.
 *
 * @see https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/advanced/attributes
 */
function before(end: string): Message {
  const time: Message = { select_expr: { operand: { ident_expr: { name: "request" } }, field: "time" } };
  const instant: Message = { call_expr: { function: "timestamp", args: [{ const_expr: { string_value: end } }] } };
  return { call_expr: { function: "_<_", args: [time, instant] } };
}

/**
 * Both factors, and that they are one service's: a token is worth nothing beside another's certificate, and a certificate nothing without its token or with
 * a second name.
 */
function principal(caller: Grant["caller"]): Message {
  const certificate = { authenticated: { principal_name: { exact: caller.identity } } };
  return { and_ids: { ids: [certificate, tokenOf(caller), hasOnly(caller.identity)] } };
}

function permission(serverName: string, rules: readonly EdgeRule[]): Message {
  const server: Message = { requested_server_name: { exact: serverName } };
  // One rule that allows everything makes the others void.
  if (rules.length === 0 || rules.some((rule) => rule.methods.length === 0 && rule.paths.length === 0)) {
    return server;
  }
  return allOf([server, anyOf(rules.map(ruleMatcher))]);
}

/** Matches the requests that a rule is about. A path with a query, which no document has, is that question and no other. */
export function ruleMatcher(rule: EdgeRule): Message {
  const methods = rule.methods.map((method) => ({ header: { name: ":method", string_match: { exact: method } } }));
  const paths = rule.paths.map((path): Message =>
    path.includes("?")
      ? { header: { name: ":path", string_match: { exact: path } } }
      : { url_path: { path: pathMatcher(path) } },
  );
  return allOf([methods, paths].filter((list) => list.length > 0).map(anyOf));
}

/** The path of a rule: exact, or a prefix when it ends in `*`. Matched after normalization, without the query. */
export function pathMatcher(path: string): Message {
  return path.endsWith("*") ? { prefix: path.slice(0, -1) } : { exact: path };
}

/** Fits where all of these do. */
export function allOf(rules: readonly Message[]): Message {
  const [only] = rules;
  return only !== undefined && rules.length === 1 ? only : { and_rules: { rules } };
}

/** Fits where one of these does. */
export function anyOf(rules: readonly Message[]): Message {
  const [only] = rules;
  return only !== undefined && rules.length === 1 ? only : { or_rules: { rules } };
}
