/**
 * Judges a request by the rendered RBAC filter of a sidecar, as Envoy does: read from the file, so that it says what is enforced, whatever was meant.
 *
 * @see https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/rbac/v3/rbac.proto
 */
import { PEER_URIS } from "../../envoy/identity/single-identity";
import { at, entriesAt, listAt, onlyEntry, textAt } from "./values";

/** A request as the filter sees it. What is undefined may be anything. */
export interface JudgedRequest {
  readonly identity: string;
  readonly serverName: string;
  readonly method?: string;
  /** Normalized, without the query. */
  readonly path?: string;
  /** Instant (UTC, `2026-12-31T18:00:00Z`). */
  readonly time: string;
}

export type Judgement =
  | { readonly allowed: true; readonly policy: string; readonly end?: string }
  /** No policy names the caller. */
  | { readonly allowed: false; readonly because: "caller" }
  /** The caller's policy does not allow this request. */
  | { readonly allowed: false; readonly because: "request"; readonly policy: string }
  /** It did, until its end. */
  | { readonly allowed: false; readonly because: "ended"; readonly policy: string; readonly end: string };

/** The filter holds something that this program does not model, so it can't say what Envoy would do. */
export class NotModelled extends Error {
  override readonly name = "NotModelled";
  constructor(what: string) {
    super(
      `the sidecar's RBAC filter holds ${what}, which this command does not model; teach cli/enforced/rbac.ts what it means`,
    );
  }
}

/**
 * Judges a request.
 *
 * @param filter the configuration of `envoy.filters.http.rbac`
 * @throws NotModelled
 */
export function judge(filter: unknown, request: JudgedRequest): Judgement {
  if (textAt(filter, "rules", "action") !== "ALLOW") throw new NotModelled("no rules that allow");
  let nearest: Extract<Judgement, { allowed: false }> = { allowed: false, because: "caller" };
  for (const [policy, definition] of entriesAt(filter, "rules", "policies")) {
    if (!listAt(definition, "principals").some((principal) => isPrincipal(principal, request))) continue;
    if (!listAt(definition, "permissions").some((permission) => isPermitted(permission, request))) {
      if (nearest.because === "caller") nearest = { allowed: false, because: "request", policy };
      continue;
    }
    const end = endOfCondition(at(definition, "condition"));
    if (end === undefined) return { allowed: true, policy };
    if (request.time < end) return { allowed: true, policy, end };
    nearest = { allowed: false, because: "ended", policy, end };
  }
  return nearest;
}

/** Kinds of principals that only the request's token can tell; the caller's own sidecar adds a token that fits. */
const BY_TOKEN: ReadonlySet<string> = new Set(["metadata", "sourced_metadata"]);

function isPrincipal(principal: unknown, request: JudgedRequest): boolean {
  const [kind, value] = onlyEntry(principal) ?? ["nothing", undefined];
  if (kind === "and_ids") return listAt(value, "ids").every((id) => isPrincipal(id, request));
  if (kind === "or_ids") return listAt(value, "ids").some((id) => isPrincipal(id, request));
  if (BY_TOKEN.has(kind)) return true;
  // All URI SANs of the certificate; a service's own has one.
  if (kind === "filter_state" && textAt(value, "key") === PEER_URIS) {
    return matches(at(value, "string_match"), request.identity);
  }
  const exact = textAt(value, "principal_name", "exact");
  if (kind !== "authenticated" || exact === undefined) throw new NotModelled(`the principal '${kind}'`);
  return exact === request.identity;
}

function isPermitted(permission: unknown, request: JudgedRequest): boolean {
  const [kind, value] = onlyEntry(permission) ?? ["nothing", undefined];
  switch (kind) {
    case "and_rules":
      return listAt(value, "rules").every((rule) => isPermitted(rule, request));
    case "or_rules":
      return listAt(value, "rules").some((rule) => isPermitted(rule, request));
    case "requested_server_name":
      return matches(value, request.serverName);
    case "url_path":
      return request.path === undefined || matches(at(value, "path"), request.path);
    case "header":
      if (textAt(value, "name") === ":path")
        return request.path === undefined || matches(at(value, "string_match"), request.path);
      if (textAt(value, "name") !== ":method") throw new NotModelled(`a header '${textAt(value, "name") ?? ""}'`);
      return request.method === undefined || matches(at(value, "string_match"), request.method);
    default:
      throw new NotModelled(`the permission '${kind}'`);
  }
}

function matches(matcher: unknown, text: string): boolean {
  const [kind, value] = onlyEntry(matcher) ?? ["nothing", undefined];
  if (typeof value === "string" && kind === "exact") return text === value;
  if (typeof value === "string" && kind === "prefix") return text.startsWith(value);
  throw new NotModelled(`the matcher '${kind}'`);
}

/** The instant of `request.time < timestamp(…)`; undefined where there is no condition. */
function endOfCondition(condition: unknown): string | undefined {
  if (condition === undefined) return undefined;
  const call = at(condition, "call_expr");
  const [time, instant] = listAt(call, "args");
  const end = textAt(listAt(instant, "call_expr", "args")[0], "const_expr", "string_value");
  const asked = textAt(time, "select_expr", "operand", "ident_expr", "name") === "request";
  const fits = asked && textAt(time, "select_expr", "field") === "time" && textAt(call, "function") === "_<_";
  if (!fits || end === undefined) throw new NotModelled("a condition other than the end of a call");
  return end;
}
