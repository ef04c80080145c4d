/** What a caller's sidecar tries again, and how long it waits: the routes of an outbound listener. */
import { IDEMPOTENT_METHODS, type EdgeTraffic, type RetryCondition, type RetryPolicy } from "../../mesh/traffic/model";
import { seconds } from "./durations";
import type { HttpProtocol } from "../http";
import { extension, type Message } from "../message";
import type { EnvoyOptions } from "../options";
import type { Destination } from "./versions";

/** What the routes of one edge depend on. */
export interface OutboundRoutes {
  /** Where which requests go, the first match first. */
  readonly destinations: readonly Destination[];
  readonly protocol: HttpProtocol;
  readonly traffic: EdgeTraffic;
  /** Whether the callee's datacenter is one of several that answer, in an order. Default: false. */
  readonly isElsewhereToo?: boolean;
  /** Fields that every route has beside its match and action. */
  readonly common: Message;
}

/**
 * One route for each destination; where requests of idempotent methods may be tried again on more than the others, one for each. Which request is
 * idempotent is its method's to say, never a header's.
 *
 * @see https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/route/v3/route_components.proto#config-route-v3-retrypolicy
 */
export function outboundRoutes(
  { destinations, protocol, traffic, isElsewhereToo = false, common }: OutboundRoutes,
  options: EnvoyOptions,
): Message[] {
  const { retries } = traffic;
  const route = ({ match, target }: Destination, conditions: readonly RetryCondition[]): Message => ({
    match,
    route: {
      ...target,
      ...timeouts(protocol, traffic),
      ...(options.retries === false || retries.attempts === 0
        ? {}
        : { retry_policy: retryPolicy(traffic, conditions, isElsewhereToo) }),
    },
    ...common,
  });
  const { conditions, idempotentConditions } = retries;
  return destinations.flatMap((destination) =>
    idempotentConditions.length > conditions.length
      ? [route(idempotent(destination), idempotentConditions), route(destination, conditions)]
      : [route(destination, conditions)],
  );
}

/** Tries to connect beyond the declared ones: of a datacenter that is gone as many instances at least are found out by one connection alone, before it gets to the next. */
const FURTHER_CONNECTS = 10;

/**
 * How often a plain connection is tried. Nothing tells a further try where those before went, so one that may go to another datacenter gets there when all instances before have
 * been left out (see `calleeCluster`): there are tries for that, and pauses, in which it is known to all threads who is.
 *
 * @see https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/filters/network/tcp_proxy/v3/tcp_proxy.proto
 */
export function connects(
  { retries: { attempts, backoff } }: EdgeTraffic,
  isElsewhereToo: boolean,
  options: EnvoyOptions,
): Message {
  if (options.retries === false || attempts === 0) return { max_connect_attempts: 1 };
  if (!isElsewhereToo) return { max_connect_attempts: 1 + attempts };
  return { max_connect_attempts: 1 + attempts + FURTHER_CONNECTS, backoff_options: pauses(backoff) };
}

/** The idempotent ones of a destination's requests. */
function idempotent({ match, target }: Destination): Destination {
  const headers = Array.isArray(match.headers) ? (match.headers as Message[]) : [];
  return { match: { ...match, headers: [...headers, IDEMPOTENT] }, target };
}

const IDEMPOTENT: Message = {
  name: ":method",
  string_match: { safe_regex: { regex: IDEMPOTENT_METHODS.join("|") } },
};

/** gRPC's time is the deadline that its caller gives, at most the edge's; that holds for streams, too, and is answered as gRPC answers it. */
function timeouts(protocol: HttpProtocol, { timeoutMs }: EdgeTraffic): Message {
  const limit = seconds(timeoutMs);
  if (protocol !== "grpc") return { timeout: limit };
  return {
    timeout: "0s",
    max_stream_duration: { ...(timeoutMs > 0 ? { max_stream_duration: limit } : {}), grpc_timeout_header_max: limit },
  };
}

function retryPolicy(
  { retries }: EdgeTraffic,
  conditions: readonly RetryCondition[],
  isElsewhereToo: boolean,
): Message {
  const { attempts, perTryTimeoutMs, backoff } = retries;
  // A try that may not be followed by another has the whole call's time.
  const timed = perTryTimeoutMs > 0 && conditions.some((condition) => TIMED.includes(condition));
  return {
    retry_on: conditions.join(","),
    num_retries: attempts,
    ...(timed ? { per_try_timeout: seconds(perTryTimeoutMs) } : {}),
    retry_back_off: pauses(backoff),
    ...(isElsewhereToo ? { retry_priority: inNextDatacenter(attempts) } : {}),
    retry_host_predicate: [
      extension(
        "envoy.retry_host_predicates.previous_hosts",
        "envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate",
      ),
    ],
    // Picking costs nothing: of two instances one dead, three picks would meet the dead one again in one retry of eight.
    host_selection_retry_max_attempts: "10",
  };
}

function pauses({ baseMs, maxMs }: RetryPolicy["backoff"]): Message {
  return { base_interval: seconds(baseMs), max_interval: seconds(maxMs) };
}

/**
 * A try and its first repetition go to the same datacenter, the next ones to the next; where there is only one repetition, that goes there.
 *
 * @see https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/aggregate_cluster
 */
function inNextDatacenter(attempts: number): Message {
  return extension(
    "envoy.retry_priorities.previous_priorities",
    "envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig",
    { update_frequency: attempts > 1 ? 2 : 1 },
  );
}

/** Conditions that a try which took too long fulfils. */
const TIMED: readonly RetryCondition[] = ["5xx", "gateway-error", "reset"];
