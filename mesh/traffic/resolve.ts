/** From what a service and a call declare to what holds on one edge. */
import type { Protocol } from "../model";
import type { DeclaredServiceTraffic, DeclaredTraffic } from "../schema/traffic";
import {
  DEFAULT_ATTEMPTS,
  DEFAULT_BACKOFF,
  DEFAULT_BUDGET,
  DEFAULT_CIRCUIT_BREAKER,
  DEFAULT_OUTLIER_DETECTION,
  DEFAULT_SERVICE_TRAFFIC,
  defaultTimeoutMs,
} from "./defaults";
import { milliseconds } from "./duration";
import {
  ANSWER_CONDITIONS,
  SAFE_CONDITIONS,
  type CircuitBreaker,
  type DeclaredCondition,
  type EdgeTraffic,
  type OutlierDetection,
  type RateLimit,
  type RetryCondition,
  type RetryPolicy,
  type ServiceTraffic,
} from "./model";

/**
 * What holds on an edge to a port of this protocol: the call's value, or else the callee's, or else the default, for each value on its own.
 *
 * @param callee what the callee declares for everybody who calls it
 * @param call what the call overrides
 */
export function edgeTraffic(protocol: Protocol, callee: DeclaredTraffic = {}, call: DeclaredTraffic = {}): EdgeTraffic {
  const timeout = call.timeout ?? callee.timeout;
  const rateLimit = protocol === "tcp" ? undefined : rateLimitOf(call.rateLimit ?? callee.rateLimit);
  return {
    timeoutMs: timeout === undefined || !canTimeOut(protocol) ? defaultTimeoutMs(protocol) : milliseconds(timeout),
    retries: retriesOf(protocol, callee.retries ?? {}, call.retries ?? {}),
    circuitBreaker: circuitBreakerOf({ ...callee.circuitBreaker, ...given(call.circuitBreaker) }),
    outlierDetection: outlierDetectionOf({ ...callee.outlierDetection, ...given(call.outlierDetection) }),
    ...(rateLimit === undefined ? {} : { rateLimit }),
  };
}

/** What holds for a service as callee. */
export function serviceTrafficOf(declared: DeclaredServiceTraffic = {}): ServiceTraffic {
  return { connectionLimit: declared.connectionLimit ?? DEFAULT_SERVICE_TRAFFIC.connectionLimit };
}

/** Protocols whose calls have an end that can be waited for. A WebSocket and a TCP connection have none. */
export function canTimeOut(protocol: Protocol): boolean {
  return protocol === "http" || protocol === "http2" || protocol === "grpc";
}

/**
 * Whether a condition means something on a port: gRPC's status is gRPC's alone, and as every gRPC request is a POST, it must be said that it may be
 * repeated. An upgrade and a connection are only made again where they never came about.
 */
export function conditionApplies(condition: DeclaredCondition, protocol: Protocol, idempotent: boolean): boolean {
  const answers: readonly string[] = ANSWER_CONDITIONS;
  if (protocol === "grpc") return idempotent;
  return (protocol === "http" || protocol === "http2") && answers.includes(condition);
}

type DeclaredRetries = NonNullable<DeclaredTraffic["retries"]>;

function retriesOf(protocol: Protocol, callee: DeclaredRetries, call: DeclaredRetries): RetryPolicy {
  const idempotent = call.idempotent ?? callee.idempotent ?? false;
  const further = (call.on ?? callee.on ?? []).filter((each) => conditionApplies(each, protocol, idempotent));
  const wide: readonly RetryCondition[] = [...SAFE_CONDITIONS, ...[...new Set(further)].sort()];
  const perTry = call.perTryTimeout ?? callee.perTryTimeout;
  const base = call.backoff?.base ?? callee.backoff?.base;
  const max = call.backoff?.max ?? callee.backoff?.max;
  return {
    attempts: call.attempts ?? callee.attempts ?? DEFAULT_ATTEMPTS,
    conditions: idempotent ? wide : SAFE_CONDITIONS,
    idempotentConditions: wide,
    perTryTimeoutMs: perTry === undefined || !canTimeOut(protocol) ? 0 : milliseconds(perTry),
    backoff: {
      baseMs: base === undefined ? DEFAULT_BACKOFF.baseMs : milliseconds(base),
      maxMs: max === undefined ? DEFAULT_BACKOFF.maxMs : milliseconds(max),
    },
    budget: {
      percent: call.budget?.percent ?? callee.budget?.percent ?? DEFAULT_BUDGET.percent,
      minConcurrency: call.budget?.minConcurrency ?? callee.budget?.minConcurrency ?? DEFAULT_BUDGET.minConcurrency,
    },
  };
}

function circuitBreakerOf(declared: NonNullable<DeclaredTraffic["circuitBreaker"]>): CircuitBreaker {
  return { ...DEFAULT_CIRCUIT_BREAKER, ...given(declared) };
}

function outlierDetectionOf(declared: NonNullable<DeclaredTraffic["outlierDetection"]>): OutlierDetection {
  const { interval, baseEjectionTime, maxEjectionTime, ...counts } = declared;
  const times = {
    ...(interval === undefined ? {} : { intervalMs: milliseconds(interval) }),
    ...(baseEjectionTime === undefined ? {} : { baseEjectionTimeMs: milliseconds(baseEjectionTime) }),
    ...(maxEjectionTime === undefined ? {} : { maxEjectionTimeMs: milliseconds(maxEjectionTime) }),
  };
  return { ...DEFAULT_OUTLIER_DETECTION, ...given(counts), ...times };
}

function rateLimitOf(declared: DeclaredTraffic["rateLimit"]): RateLimit | undefined {
  if (declared === undefined) return undefined;
  const { requestsPerSecond, burst } = declared;
  return { requestsPerSecond, burst: burst ?? requestsPerSecond };
}

type Given<T> = { readonly [K in keyof T]?: Exclude<T[K], undefined> };

/** Without the keys that say nothing, which would cover a default. */
function given<T extends object>(declared: T | undefined): Given<T> {
  return Object.fromEntries(Object.entries(declared ?? {}).filter(([, value]) => value !== undefined)) as Given<T>;
}
