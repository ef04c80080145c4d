import type { ResourceRule } from "../../../policies/judgement/rule";
import { envoyListenersMtls } from "../../../policies/rules/envoy-listeners-mtls";
import { envoyUpstreamsMtls } from "../../../policies/rules/envoy-upstreams-mtls";
import { envoyConfigMap, sidecarFiles, type SidecarFiles } from "../fixtures/envoy";
import { edit, type Json } from "../support/edit";
import { assertFinds, type Mutation } from "../support/judge";

/** Declares a test for each change of one field of one of the sidecar's files. */
function refusesEachIn(rule: ResourceRule, file: keyof SidecarFiles, mutations: readonly Mutation[]): void {
  for (const { title, path, value, finds } of mutations) {
    it(`refuses ${title}`, () => {
      const files = sidecarFiles();
      assertFinds(rule, envoyConfigMap({ ...files, [file]: edit(files[file], path, value) }), finds);
    });
  }
}

const CHAIN = "resources[0].filter_chains[0]";
const CONNECTIONS = `${CHAIN}.filters[0].typed_config`;
const HCM = `${CHAIN}.filters[2].typed_config`;
const LIMIT = `${HCM}.http_filters[2].typed_config`;
const ACTION = `${HCM}.route_config.virtual_hosts[0].routes[0].route`;
const BY = `${LIMIT}.rate_limits[0].actions[0]`;
const OUTBOUND = "resources[1].filter_chains[0].filters[0].typed_config.route_config.virtual_hosts[0].routes[0].route";
const RETRIES = `${OUTBOUND}.retry_policy`;
const UNKNOWN_FIELD = /none that the rule models/;

/** The chain's filters of {@link sidecarFiles}, its rate limit and its RBAC in each other's place. */
function swapped(): Json {
  const chain = JSON.parse(JSON.stringify(sidecarFiles().listeners)) as {
    resources: { filter_chains: { filters: { typed_config: { http_filters: Json[] } }[] }[] }[];
  };
  const [check = null, rbac = null, limit = null, router = null] =
    chain.resources[0]?.filter_chains[0]?.filters[2]?.typed_config.http_filters ?? [];
  return [check, limit, rbac, router];
}

describe("envoy-listeners-mtls, traffic", () => {
  refusesEachIn(envoyListenersMtls, "listeners", [
    { title: "a chain without a connection limit", path: `${CHAIN}.filters[0]`, finds: /no connection limit/ },
    { title: "a connection limit of nothing", path: `${CONNECTIONS}.max_connections`, finds: /no bound of their own/ },
    {
      title: "more connections than a sidecar takes",
      path: `${CONNECTIONS}.max_connections`,
      value: 10_001,
      finds: /no bound of their own/,
    },
    {
      title: "a connection limit that can be switched off",
      path: `${CONNECTIONS}.runtime_enabled`,
      value: { default_value: false, runtime_key: "x" },
      finds: UNKNOWN_FIELD,
    },
    { title: "a rate limit before authorization", path: `${HCM}.http_filters`, value: swapped(), finds: /before auth/ },
    { title: "a rate limit that is off", path: `${LIMIT}.filter_enabled`, finds: /part of the requests/ },
    {
      title: "a rate limit that only counts",
      path: `${LIMIT}.filter_enforced.default_value.numerator`,
      value: 0,
      finds: /part of the requests/,
    },
    {
      title: "a rate limit that a runtime value switches off",
      path: `${LIMIT}.filter_enforced.runtime_key`,
      value: "x",
      finds: UNKNOWN_FIELD,
    },
    {
      title: "a bucket that all callers share",
      path: `${LIMIT}.always_consume_default_token_bucket`,
      finds: /share a bucket/,
    },
    { title: "a common bucket", path: `${LIMIT}.token_bucket`, value: {}, finds: UNKNOWN_FIELD },
    {
      title: "a bucket of somebody whom TLS refuses",
      path: `${LIMIT}.descriptors[0].entries[0].value`,
      value: "spiffe://ops.lucid.internal/ns/lucid-ops/sa/jaeger",
      finds: /one caller/,
    },
    {
      title: "a bucket of everybody",
      path: `${LIMIT}.descriptors[0].entries[0].value`,
      value: "",
      finds: /one caller/,
    },
    {
      title: "a bucket by another key",
      path: `${LIMIT}.descriptors[0].entries[0].key`,
      value: "remote_address",
      finds: /one caller/,
    },
    { title: "requests that are not counted", path: `${LIMIT}.rate_limits`, finds: /by that alone/ },
    {
      title: "requests counted by a header",
      path: BY,
      value: { request_headers: { header_name: "x-caller", descriptor_key: "caller" } },
      finds: /by that alone/,
    },
    {
      title: "requests counted by what another expression says",
      path: `${BY}.extension.typed_config.text`,
      value: "request.headers['x-caller']",
      finds: /by that alone/,
    },
    {
      title: "requests counted by an error's absence",
      path: `${BY}.extension.typed_config.skip_if_error`,
      value: true,
      finds: UNKNOWN_FIELD,
    },
    {
      title: "a route with a count of its own",
      path: `${ACTION}.rate_limits`,
      value: [{ actions: [] }],
      finds: UNKNOWN_FIELD,
    },
    {
      title: "a second count",
      path: `${LIMIT}.rate_limits[1]`,
      value: { actions: [] },
      finds: /by that alone/,
    },
    {
      title: "copies of requests to somebody else",
      path: `${ACTION}.request_mirror_policies`,
      value: [{ cluster: "x" }],
      finds: UNKNOWN_FIELD,
    },
    {
      title: "redirects that Envoy follows",
      path: `${ACTION}.internal_redirect_policy`,
      value: {},
      finds: UNKNOWN_FIELD,
    },
    { title: "retries without a bound", path: `${RETRIES}.num_retries`, finds: /without a bound/ },
    { title: "too many retries", path: `${RETRIES}.num_retries`, value: 11, finds: /without a bound/ },
    {
      title: "retries of what a rate limit refused",
      path: `${RETRIES}.retry_on`,
      value: "connect-failure,envoy-ratelimited",
      finds: /no document can declare/,
    },
    { title: "retries on nothing", path: `${RETRIES}.retry_on`, finds: /no document can declare/ },
    {
      title: "retries that a header chooses",
      path: `${RETRIES}.retriable_headers`,
      value: [],
      finds: UNKNOWN_FIELD,
    },
    {
      title: "a predicate that no rule knows",
      path: `${RETRIES}.retry_host_predicate[0].name`,
      value: "envoy.retry_host_predicates.other",
      finds: /has no place here/,
    },
  ]);
});

describe("envoy-upstreams-mtls, traffic", () => {
  const CALLEE = "resources[1]";
  refusesEachIn(envoyUpstreamsMtls, "clusters", [
    { title: "a callee without a circuit breaker", path: `${CALLEE}.circuit_breakers`, finds: /no budget/ },
    {
      title: "retries without a budget",
      path: `${CALLEE}.circuit_breakers.thresholds[0].retry_budget`,
      finds: /no budget/,
    },
    {
      title: "retries by number in place of a budget",
      path: `${CALLEE}.circuit_breakers.thresholds[0].max_retries`,
      value: 4_000_000,
      finds: UNKNOWN_FIELD,
    },
    {
      title: "thresholds of another priority",
      path: `${CALLEE}.circuit_breakers.thresholds[0].priority`,
      value: "HIGH",
      finds: UNKNOWN_FIELD,
    },
    {
      title: "an ejection that no rule knows",
      path: `${CALLEE}.outlier_detection.monitors`,
      value: [],
      finds: UNKNOWN_FIELD,
    },
    { title: "health checks of the callee", path: `${CALLEE}.health_checks`, value: [{}], finds: UNKNOWN_FIELD },
  ]);
});
