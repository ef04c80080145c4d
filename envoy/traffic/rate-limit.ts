/** Rate limits per caller, at the callee. */
import type { RateLimit } from "../../mesh/traffic/model";
import type { Protocol } from "../../mesh/model";
import { extension, type Message } from "../message";

/** A caller and what it may have. */
export interface CallerLimit {
  /** Exact URI SAN of the caller's certificate. */
  readonly identity: string;
  readonly limit: RateLimit;
}

const KEY = "caller";

/**
 * A token bucket for each caller that has a limit, chosen by the URI SAN that the caller's certificate proves and by nothing that a request says, so
 * that nobody can take from another's. It stands after authorization: a request that is refused takes no token, also where it comes by a stolen
 * certificate without its token. What is too much is answered 429 (gRPC: RESOURCE_EXHAUSTED), with `local_rate_limited` in the record's `details`.
 *
 * @see https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/local_rate_limit_filter
 */
export function callerRateLimit(statPrefix: string, protocol: Protocol, limits: readonly CallerLimit[]): Message {
  return extension(
    "envoy.filters.http.local_ratelimit",
    "envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit",
    {
      stat_prefix: statPrefix,
      filter_enabled: ALWAYS,
      filter_enforced: ALWAYS,
      // A bucket that all share would be one by which a caller exhausts another.
      always_consume_default_token_bucket: false,
      rate_limits: BY_CALLER,
      descriptors: limits.map(({ identity, limit }) => ({
        entries: [{ key: KEY, value: identity }],
        token_bucket: {
          max_tokens: limit.burst,
          tokens_per_fill: limit.requestsPerSecond,
          fill_interval: "1s",
        },
      })),
      ...(protocol === "grpc" ? { rate_limited_as_resource_exhausted: true } : {}),
    },
  );
}

const ALWAYS: Message = { default_value: { numerator: 100, denominator: "HUNDRED" } };

/** What requests are counted by. */
const BY_CALLER: readonly Message[] = [
  {
    actions: [
      {
        extension: extension(
          "envoy.rate_limit_descriptors.expr",
          "envoy.extensions.rate_limit_descriptors.expr.v3.Descriptor",
          { descriptor_key: KEY, text: "connection.uri_san_peer_certificate" },
        ),
      },
    ],
  },
];
