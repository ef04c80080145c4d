import type { Field } from "../judgement/field";
import type { Scope } from "./scope";
import { closedKeys, type NamedFilter } from "./shape";

/** The filter that asks another service about a caller. */
export const EXT_AUTHZ = "envoy.filters.http.ext_authz";

/** Headers by which whoever sees them could act as the caller's sidecar. */
const HIDDEN_HEADERS = /^(x-forwarded-client-cert|x-lucid-.*|x-envoy-.*)$/;
const LONGEST_WAIT_S = 5;

/** Checks the question about callers: it goes to a service that the ceiling lets answer, and whatever is no clear yes is a no. */
export function checkExtAuthz(list: Field, filters: readonly NamedFilter[], scope: Scope): void {
  const { findings } = scope;
  const asking = filters.filter(({ name }) => name === EXT_AUTHZ);
  const caller = filters.findIndex(({ name }) => name === "envoy.filters.http.rbac");
  for (const { config } of asking) {
    findings.require(
      asking.length === 1 && caller >= 0 && caller < filters.findIndex(({ name }) => name === EXT_AUTHZ),
      list,
      "the question about the caller is asked twice, or before its RBAC",
      "ask once, after envoy.filters.http.rbac",
    );
    checkQuestion(config, scope);
  }
}

function checkQuestion(config: Field, scope: Scope): void {
  const { findings } = scope;
  closedKeys(
    config,
    [
      "@type",
      "transport_api_version",
      "grpc_service",
      "failure_mode_allow",
      "status_on_error",
      "include_peer_certificate",
      "include_tls_session",
      "allowed_headers",
      "validate_mutations",
      "decoder_header_mutation_rules",
      "enable_dynamic_metadata_ingestion",
      "clear_route_cache",
      "emit_filter_state_stats",
    ],
    findings,
  );
  const must = (field: Field, expected: boolean | string, problem: string) => {
    findings.require(field.is(expected), field, problem, `write ${String(expected)}`);
  };
  must(config.at("transport_api_version"), "V3", "the question is asked in another version than the answer");
  must(config.at("failure_mode_allow"), false, "calls are let in when nobody answers");
  must(config.at("include_peer_certificate"), true, "a compromised certificate could not be told from a good one");
  must(config.at("validate_mutations"), true, "a malformed answer changes the request");
  must(config.at("enable_dynamic_metadata_ingestion"), false, "an answer could write what later filters believe");
  must(config.at("clear_route_cache"), false, "an answer could change the request's route");
  const mutations = config.at("decoder_header_mutation_rules");
  closedKeys(mutations, ["disallow_all", "disallow_is_error"], findings);
  for (const key of ["disallow_all", "disallow_is_error"]) {
    must(mutations.at(key), true, "an answer could set headers, the caller's identity among them");
  }
  closedKeys(config.at("status_on_error"), ["code"], findings);
  findings.require(
    config.at("status_on_error", "code").isOneOf(["ServiceUnavailable", "Forbidden"]),
    config.at("status_on_error"),
    "a question without an answer is no refusal",
    "set code: ServiceUnavailable",
  );
  checkHeaders(config.at("allowed_headers"), scope);
  checkDestination(config.at("grpc_service"), scope);
}

/** Absent or empty means all headers. */
function checkHeaders(allowed: Field, { findings }: Scope): void {
  closedKeys(allowed, ["patterns"], findings);
  const patterns = allowed.at("patterns").items();
  findings.require(patterns.length > 0, allowed, "every header of a request is shown", "name the headers one by one");
  for (const pattern of patterns) {
    closedKeys(pattern, ["exact"], findings);
    const name = pattern.at("exact").text() ?? "";
    findings.require(
      name !== "" && !HIDDEN_HEADERS.test(name),
      pattern,
      "a header is shown by which one could act as the caller",
      "take it out",
    );
  }
}

function checkDestination(service: Field, { findings, ceiling }: Scope): void {
  closedKeys(service, ["envoy_grpc", "timeout"], findings);
  const target = service.at("envoy_grpc");
  closedKeys(target, ["cluster_name", "authority"], findings);
  const [kind, name, port, ...rest] = (target.at("cluster_name").text() ?? "").split("|");
  const zone = Object.entries(ceiling.members).find(([, members]) => members.includes(name ?? ""))?.[0];
  findings.require(
    kind === "outbound" &&
      port !== undefined &&
      rest.length === 0 &&
      ceiling.authenticators.includes(`${zone ?? ""}/${name ?? ""}`),
    target.at("cluster_name"),
    `the ceiling lets nobody answer for callers at ${target.at("cluster_name").shown()}`,
    "ask a declared service by its own cluster, and have the ceiling's owner list it under authenticators",
  );
  const wait = /^(\d+(\.\d+)?)s$/.exec(service.at("timeout").text() ?? "")?.[1];
  findings.require(
    wait !== undefined && Number(wait) > 0 && Number(wait) <= LONGEST_WAIT_S,
    service.at("timeout"),
    "a call waits for an answer without bound",
    `give it ${String(LONGEST_WAIT_S)}s at most`,
  );
}
