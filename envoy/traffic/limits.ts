/** Circuit breakers, outlier ejection and connection limits. */
import type { Protocol } from "../../mesh/model";
import type { EdgeTraffic, ServiceTraffic } from "../../mesh/traffic/model";
import { seconds } from "./durations";
import { extension, type Message } from "../message";

/**
 * What one instance of a caller has open to a callee, and the budget of its retries.
 *
 * @see https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/circuit_breaking
 */
export function circuitBreakers({ circuitBreaker, retries }: EdgeTraffic): Message {
  const { percent, minConcurrency } = retries.budget;
  const budget = { budget_percent: { value: percent }, min_retry_concurrency: minConcurrency };
  return {
    thresholds: [
      {
        max_connections: circuitBreaker.maxConnections,
        max_pending_requests: circuitBreaker.maxPendingRequests,
        max_requests: circuitBreaker.maxRequests,
        retry_budget: budget,
      },
    ],
  };
}

/**
 * The same of a cluster above others: requests under way are counted by those below, so that a share of them would be a share of none, and all but the least number of retries
 * refused when a whole datacenter is gone. The share is of what may be under way at most.
 */
export function orderedBreakers(traffic: EdgeTraffic): Message {
  const { circuitBreaker, retries } = traffic;
  const { percent, minConcurrency } = retries.budget;
  const share = Math.ceil((circuitBreaker.maxRequests * percent) / 100);
  const budget = { percent, minConcurrency: Math.max(minConcurrency, share) };
  return circuitBreakers({ ...traffic, retries: { ...retries, budget } });
}

/**
 * What a sidecar opens to its own application: on a TCP port, where each call is a connection, as many as the service takes. More wait for their turn, as
 * in the backlog of a listening socket.
 */
export function applicationBreakers(protocol: Protocol, { connectionLimit }: ServiceTraffic): Message {
  const limits =
    protocol === "tcp"
      ? { max_connections: connectionLimit, max_pending_requests: 128, max_requests: connectionLimit }
      : { max_connections: 1024, max_pending_requests: 1024, max_requests: 4096 };
  return { thresholds: [limits] };
}

/** @see https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/outlier */
export function outlierDetection({ outlierDetection: declared }: Pick<EdgeTraffic, "outlierDetection">): Message {
  const enforcing = (count: number) => (count > 0 ? 100 : 0);
  return {
    interval: seconds(declared.intervalMs),
    base_ejection_time: seconds(declared.baseEjectionTimeMs),
    max_ejection_time: seconds(declared.maxEjectionTimeMs),
    max_ejection_percent: declared.maxEjectionPercent,
    // What never got an answer is counted apart from what the callee answered.
    split_external_local_origin_errors: true,
    ...counted("consecutive_local_origin_failure", declared.consecutiveLocalErrors),
    enforcing_consecutive_local_origin_failure: enforcing(declared.consecutiveLocalErrors),
    ...counted("consecutive_gateway_failure", declared.consecutiveGatewayErrors),
    enforcing_consecutive_gateway_failure: enforcing(declared.consecutiveGatewayErrors),
    ...counted("consecutive_5xx", declared.consecutive5xxErrors),
    enforcing_consecutive_5xx: enforcing(declared.consecutive5xxErrors),
    enforcing_success_rate: 0,
    enforcing_local_origin_success_rate: 0,
  };
}

/** A threshold; one that isn't enforced keeps Envoy's own. */
function counted(field: string, count: number): Message {
  return count > 0 ? { [field]: count } : {};
}

/**
 * Connections that a filter chain takes: what is more is closed before its handshake. Each chain counts for itself, so that no zone takes another's share.
 *
 * @see https://www.envoyproxy.io/docs/envoy/latest/configuration/listeners/network_filters/connection_limit_filter
 */
export function connectionLimit(statPrefix: string, { connectionLimit: limit }: ServiceTraffic): Message {
  return extension(
    "envoy.filters.network.connection_limit",
    "envoy.extensions.filters.network.connection_limit.v3.ConnectionLimit",
    { stat_prefix: statPrefix, max_connections: limit },
  );
}
