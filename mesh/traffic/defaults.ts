/** What holds where the document says nothing. docs/sidecar.md gives the reasons. */
import type { Protocol } from "../model";
import type { CircuitBreaker, OutlierDetection, RetryBudget, ServiceTraffic } from "./model";

/** Tries after the first. Of two instances one may be gone: the third try finds the other even if the second lost a race. */
export const DEFAULT_ATTEMPTS = 2;

/** A request and its answer end within 15 s; what streams is bounded by its silence alone, and gRPC by the deadline that the caller gives. */
export function defaultTimeoutMs(protocol: Protocol): number {
  return protocol === "http" ? 15_000 : 0;
}

export const DEFAULT_BACKOFF = { baseMs: 25, maxMs: 250 } as const;

/** Under a failing callee the load grows by a fifth, not threefold. */
export const DEFAULT_BUDGET: RetryBudget = { percent: 20, minConcurrency: 3 };

export const DEFAULT_CIRCUIT_BREAKER: CircuitBreaker = {
  maxConnections: 1024,
  maxPendingRequests: 1024,
  maxRequests: 4096,
};

/** An application's own 500 ejects nobody: it may be the answer. */
export const DEFAULT_OUTLIER_DETECTION: OutlierDetection = {
  consecutiveGatewayErrors: 5,
  consecutive5xxErrors: 0,
  consecutiveLocalErrors: 3,
  intervalMs: 5000,
  baseEjectionTimeMs: 5000,
  maxEjectionTimeMs: 60_000,
  maxEjectionPercent: 50,
};

/** Less than half of what a sidecar takes in all (10,000), so that one zone's flood leaves room for the others. */
export const DEFAULT_SERVICE_TRAFFIC: ServiceTraffic = { connectionLimit: 4096 };

/** Requests that one request may become at a callee: one edge of up to four tries on what failed, or two edges of two. */
export const DEFAULT_MAX_AMPLIFICATION = 4;
