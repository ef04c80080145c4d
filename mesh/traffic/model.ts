/** How calls behave when something is slow, broken or too much: the resolved values, complete, as the sidecars on both ends are told them. */

/**
 * Conditions under which a request certainly never reached the application, so that any request may be sent again.
 *
 * @see https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/router_filter#x-envoy-retry-on
 */
export const SAFE_CONDITIONS = ["connect-failure", "refused-stream", "reset-before-request"] as const;
/** Conditions under which the application may have done what it was asked: only what is idempotent may be sent again. */
export const ANSWER_CONDITIONS = ["5xx", "gateway-error", "reset"] as const;
/**
 * The same, for the status of a gRPC call. `resource-exhausted` is none of them: a rate limit answers it, and trying again would defeat the limit.
 */
export const GRPC_CONDITIONS = ["cancelled", "deadline-exceeded", "internal", "unavailable"] as const;
/** What a document may name. */
export const RETRY_CONDITIONS = [...ANSWER_CONDITIONS, ...GRPC_CONDITIONS] as const;

/** A condition that a document names. */
export type DeclaredCondition = (typeof RETRY_CONDITIONS)[number];
export type RetryCondition = DeclaredCondition | (typeof SAFE_CONDITIONS)[number];

/** Methods that mean the same once or twice (RFC 9110, section 9.2.2), of those that a document can name. */
export const IDEMPOTENT_METHODS = ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"] as const;

/** One edge: what the caller's sidecar does with a call, and what the callee's lets the caller have. Times are milliseconds. */
export interface EdgeTraffic {
  /** From the end of the request to the end of the answer, all tries together; 0: no limit. On gRPC: the deadline given to a caller that gives none, and the longest that one may give. */
  readonly timeoutMs: number;
  readonly retries: RetryPolicy;
  readonly circuitBreaker: CircuitBreaker;
  readonly outlierDetection: OutlierDetection;
  /** What the callee takes from this caller, on this port. Default: no limit but the circuit breaker's. */
  readonly rateLimit?: RateLimit;
}

export interface RetryPolicy {
  /** Tries after the first; 0: none. */
  readonly attempts: number;
  /** When any request is tried again. */
  readonly conditions: readonly RetryCondition[];
  /** When a request with an idempotent method is tried again: the same, or more. */
  readonly idempotentConditions: readonly RetryCondition[];
  /** Time of one try; 0: none but the whole call's. */
  readonly perTryTimeoutMs: number;
  readonly backoff: { readonly baseMs: number; readonly maxMs: number };
  readonly budget: RetryBudget;
}

/** Retries under way at once: so many percent of the requests under way, but always `minConcurrency`. */
export interface RetryBudget {
  readonly percent: number;
  readonly minConcurrency: number;
}

/** What the caller's instance has open to the callee at most; what is more is answered 503 at once. */
export interface CircuitBreaker {
  readonly maxConnections: number;
  readonly maxPendingRequests: number;
  readonly maxRequests: number;
}

/** When the caller's instance leaves out an instance of the callee, and for how long. A count of 0 turns that detector off. */
export interface OutlierDetection {
  /** Answers 502, 503 or 504 in a row. */
  readonly consecutiveGatewayErrors: number;
  /** Any 5xx in a row. */
  readonly consecutive5xxErrors: number;
  /** Failures to connect, or to get an answer in time, in a row. */
  readonly consecutiveLocalErrors: number;
  /** How often those that are left out are looked at. */
  readonly intervalMs: number;
  /** Left out for this long times the number of times it was. */
  readonly baseEjectionTimeMs: number;
  readonly maxEjectionTimeMs: number;
  /** Share of the instances that may be left out at once. */
  readonly maxEjectionPercent: number;
}

/** A token bucket of one caller, in each instance of the callee. */
export interface RateLimit {
  readonly requestsPerSecond: number;
  /** Requests at once, after a silence. */
  readonly burst: number;
}

/** What a service says of itself as callee. */
export interface ServiceTraffic {
  /** Connections that one instance takes, for each port and caller zone. On a `tcp` port also those that it opens to the application; more wait for their turn. */
  readonly connectionLimit: number;
}
