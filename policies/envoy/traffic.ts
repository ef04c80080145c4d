import type { Field } from "../judgement/field";
import type { Scope } from "./scope";
import { identityOf } from "./scope";
import { closedKeys, extensionOf } from "./shape";
import type { AcceptedPeers } from "./tls";

/** Conditions of a retry. `resource-exhausted` and `envoy-ratelimited` would defeat a rate limit; what a header chooses is the caller's to choose. */
const CONDITIONS = [
  "connect-failure",
  "refused-stream",
  "reset-before-request",
  "5xx",
  "gateway-error",
  "reset",
  "cancelled",
  "deadline-exceeded",
  "internal",
  "unavailable",
];
/** Tries after the first that a route may have. */
const MOST_RETRIES = 10;
/** Connections that a sidecar takes in all. */
const MOST_CONNECTIONS = 10_000;

/** Checks what a route says of retries. */
export function checkRetryPolicy(policy: Field, { findings }: Scope): void {
  closedKeys(
    policy,
    [
      "retry_on",
      "num_retries",
      "per_try_timeout",
      "retry_back_off",
      "retry_host_predicate",
      "retry_priority",
      "host_selection_retry_max_attempts",
    ],
    findings,
  );
  if (policy.has("retry_priority")) {
    // It chooses among the hosts of a call's clusters, each of which must prove the callee's identity.
    const known = extensionOf(policy.at("retry_priority"), ["envoy.retry_priorities.previous_priorities"], findings);
    if (known !== undefined) closedKeys(known.config, ["@type", "update_frequency"], findings);
  }
  const conditions = (policy.at("retry_on").text() ?? "").split(",");
  findings.require(
    conditions.every((condition) => CONDITIONS.includes(condition)),
    policy.at("retry_on"),
    "requests are sent again on a condition that no document can declare",
    `name some of ${CONDITIONS.join(", ")}`,
  );
  const retries = policy.at("num_retries").number();
  findings.require(
    retries !== undefined && retries <= MOST_RETRIES,
    policy.at("num_retries"),
    "a request may be sent again without a bound",
    `set num_retries, ${String(MOST_RETRIES)} at most`,
  );
  for (const predicate of policy.at("retry_host_predicate").items()) {
    const known = extensionOf(predicate, ["envoy.retry_host_predicates.previous_hosts"], findings);
    if (known !== undefined) closedKeys(known.config, ["@type"], findings);
  }
}

/** Checks the bounds of a cluster: how much is open at once, how much of it is retries, who is left out. */
export function checkBounds(cluster: Field, { findings }: Scope, bounded: "budget" | "plain"): void {
  const breakers = cluster.at("circuit_breakers");
  closedKeys(breakers, ["thresholds"], findings);
  const thresholds = breakers.at("thresholds").items();
  for (const threshold of thresholds) {
    closedKeys(threshold, ["max_connections", "max_pending_requests", "max_requests", "retry_budget"], findings);
    closedKeys(threshold.at("retry_budget"), ["budget_percent", "min_retry_concurrency"], findings);
    closedKeys(threshold.at("retry_budget", "budget_percent"), ["value"], findings);
  }
  closedKeys(cluster.at("outlier_detection"), OUTLIER_KEYS, findings);
  if (bounded === "plain") return;
  const percents = thresholds.map((threshold) => threshold.at("retry_budget", "budget_percent", "value").number());
  findings.require(
    percents.length === 1 && percents.every((percent) => percent !== undefined && percent > 0 && percent <= 100),
    breakers,
    "retries to a failing callee have no budget, so they can multiply its load",
    "give the cluster one threshold with a retry_budget of 100 percent at most",
  );
}

const OUTLIER_KEYS = [
  "interval",
  "base_ejection_time",
  "max_ejection_time",
  "max_ejection_percent",
  "split_external_local_origin_errors",
  "consecutive_local_origin_failure",
  "enforcing_consecutive_local_origin_failure",
  "consecutive_gateway_failure",
  "enforcing_consecutive_gateway_failure",
  "consecutive_5xx",
  "enforcing_consecutive_5xx",
  "enforcing_success_rate",
  "enforcing_local_origin_success_rate",
];

/** Checks a chain's connection limit: always on, and within what the sidecar takes. */
export function checkConnectionLimit(config: Field, { findings }: Scope): void {
  closedKeys(config, ["@type", "stat_prefix", "max_connections"], findings);
  const most = config.at("max_connections").number();
  findings.require(
    most !== undefined && most >= 1 && most <= MOST_CONNECTIONS,
    config.at("max_connections"),
    "the connections of the chain's callers have no bound of their own",
    `set max_connections, ${String(MOST_CONNECTIONS)} at most`,
  );
}

/** Checks a rate limit: a bucket for each caller by its proven identity, none that callers share, always enforced. */
export function checkRateLimit(config: Field, peers: AcceptedPeers | undefined, { findings, ceiling }: Scope): void {
  closedKeys(
    config,
    [
      "@type",
      "stat_prefix",
      "filter_enabled",
      "filter_enforced",
      "always_consume_default_token_bucket",
      "rate_limits",
      "descriptors",
      "rate_limited_as_resource_exhausted",
    ],
    findings,
  );
  for (const key of ["filter_enabled", "filter_enforced"]) {
    const share = config.at(key);
    closedKeys(share, ["default_value"], findings);
    closedKeys(share.at("default_value"), ["numerator", "denominator"], findings);
    findings.require(
      share.at("default_value", "numerator").is(100) && share.at("default_value", "denominator").isAbsentOr("HUNDRED"),
      share,
      "the rate limit holds for a part of the requests only",
      `set ${key} to 100 of HUNDRED`,
    );
  }
  findings.require(
    config.at("always_consume_default_token_bucket").is(false),
    config.at("always_consume_default_token_bucket"),
    "callers share a bucket, so one can exhaust another",
    "set always_consume_default_token_bucket: false",
  );
  checkKeys(config.at("rate_limits"), findings);
  const identities = (peers?.parties ?? []).map((party) => identityOf(...halves(party), ceiling.datacenter?.name));
  for (const descriptor of config.at("descriptors").items()) {
    closedKeys(descriptor, ["entries", "token_bucket"], findings);
    closedKeys(descriptor.at("token_bucket"), ["max_tokens", "tokens_per_fill", "fill_interval"], findings);
    const [entry, ...further] = descriptor.at("entries").items();
    if (entry !== undefined) closedKeys(entry, ["key", "value"], findings);
    findings.require(
      entry?.at("key").is("caller") === true && entry.at("value").isOneOf(identities) && further.length === 0,
      descriptor,
      "the bucket is not that of one caller whom the chain's TLS lets in",
      "give it the one entry `caller`, the caller's exact identity",
    );
  }
}

/** Requests are counted by the identity that the caller's certificate proves, and by nothing that a request could say. */
function checkKeys(list: Field, findings: Scope["findings"]): void {
  const [limit, ...others] = list.items();
  const [action, ...further] = limit?.at("actions").items() ?? [];
  if (limit !== undefined) closedKeys(limit, ["actions"], findings);
  if (action !== undefined) closedKeys(action, ["extension"], findings);
  const by =
    action === undefined
      ? undefined
      : extensionOf(action.at("extension"), ["envoy.rate_limit_descriptors.expr"], findings)?.config;
  if (by !== undefined) closedKeys(by, ["@type", "descriptor_key", "text"], findings);
  findings.require(
    others.length + further.length === 0 &&
      by?.at("descriptor_key").is("caller") === true &&
      by.at("text").is("connection.uri_san_peer_certificate"),
    list,
    "requests are not counted by what the caller's certificate proves, and by that alone",
    "count them by connection.uri_san_peer_certificate, as `caller`",
  );
}

function halves(party: string): [zone: string, service: string] {
  const [zone = "", service = ""] = party.split("/");
  return [zone, service];
}
