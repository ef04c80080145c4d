/** What a door asks of each request that only the request itself can answer, read from the rendered filters. */
import { END_USER_FILTERS } from "../../envoy/authorization/end-users";
import { EXT_AUTHZ } from "../../envoy/authorization/ext-authz";
import { TOKEN_CHECK } from "../../envoy/names";
import type { AskedRequest } from "../access/request";
import type { Door } from "./sidecar";
import { at, entriesAt, listAt, textAt } from "./values";

/** Whether a request needs an end user's token: `some`, where that depends on a method or path that isn't said. */
export type Need = "all" | "none" | "some";

/** Whose token is looked at. */
export interface EndUserCheck {
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly need: Need;
}

/** Whether the caller's identity token is asked for: the filter whose configuration is the file of keys. */
export function asksIdentityToken({ filters }: Door): boolean {
  return filters.some(({ name, discovered }) => name === TOKEN_CHECK && discovered);
}

/** What is asked of end users; undefined where nothing is. */
export function endUserCheck({ filters }: Door, request: AskedRequest): EndUserCheck | undefined {
  const config = filters.find(({ name }) => name === END_USER_FILTERS.token)?.config;
  const provider = entriesAt(config, "providers")[0]?.[1];
  if (provider === undefined) return undefined;
  return {
    issuer: textAt(provider, "issuer") ?? "?",
    audiences: listAt(provider, "audiences").filter((audience) => typeof audience === "string"),
    need: needOf(listAt(config, "rules"), request),
  };
}

/** The cluster by which the authenticator is asked; undefined where it isn't. */
export function authenticatorCluster({ filters }: Door): string | undefined {
  const config = filters.find(({ name }) => name === EXT_AUTHZ)?.config;
  return textAt(config, "grpc_service", "envoy_grpc", "cluster_name");
}

/** By the first rule that fits; of rules that may fit, by all up to the first that certainly does. */
function needOf(rules: readonly unknown[], request: AskedRequest): Need {
  const needs = new Set<Need>();
  for (const rule of rules) {
    const fits = matches(at(rule, "match"), request);
    if (fits === false) continue;
    needs.add(at(rule, "requires") === undefined ? "none" : "all");
    if (fits === true) break;
  }
  const [only, ...others] = needs;
  return others.length > 0 ? "some" : (only ?? "none");
}

/** Undefined: it depends on what isn't said. */
function matches(match: unknown, { method, path }: AskedRequest): boolean | undefined {
  const exact = textAt(match, "path");
  const prefix = textAt(match, "prefix") ?? "";
  const everyPath = exact === undefined && prefix === "/";
  const fitsPath = everyPath
    ? true
    : path === undefined
      ? undefined
      : exact === undefined
        ? path.startsWith(prefix)
        : path === exact;
  const methods = listAt(match, "headers").map((header) => textAt(header, "string_match", "exact"));
  const fitsMethod = methods.length === 0 ? true : method === undefined ? undefined : methods.includes(method);
  if (fitsPath === false || fitsMethod === false) return false;
  return fitsPath === undefined || fitsMethod === undefined ? undefined : true;
}
