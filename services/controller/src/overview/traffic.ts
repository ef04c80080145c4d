/** What Prometheus has seen of the calls: the questions to it, and what its answers say. Pure. */
import { z } from "zod";
import { ZONES, type ZoneName } from "../../../../mesh/model.js";
import { FROM_SIDECARS } from "../../../../mesh/wire.js";
import type { EnforcementOverview, Observed } from "../../../../mesh/overview/model.js";
import { ENFORCEMENT_QUERY, enforcementOf } from "./enforcement.js";

/** Seconds over which rates are averages: twenty scrapes. */
export const WINDOW = 300;

const RANGE = `[${String(WINDOW)}s]`;
const EDGE = "service, lucid_callee, lucid_callee_port";
const OUTBOUND = `${FROM_SIDECARS}, lucid_callee!=""`;
const perEdge = (metric: string, matcher = OUTBOUND): string =>
  `sum by (${EDGE}) (rate(${metric}{${matcher}}${RANGE}))`;
const quantile = (share: number): string =>
  `histogram_quantile(${String(share)}, sum by (le, ${EDGE}) (rate(envoy_cluster_upstream_rq_time_bucket{${OUTBOUND}}${RANGE})))`;
/** Growth of a counter under a label of its own: two counters of one sidecar have the same labels otherwise. */
const refusedBy = (metric: string): string =>
  `label_replace(rate(${metric}{${FROM_SIDECARS}}${RANGE}), "counter", "${metric}", "", "")`;

/** What is asked, each by one instant query. */
export const QUERIES = {
  requests: perEdge("envoy_cluster_upstream_rq_completed"),
  failures: perEdge("envoy_cluster_upstream_rq_xx", `${OUTBOUND}, envoy_response_code_class="5"`),
  connections: perEdge("envoy_cluster_upstream_cx_total"),
  connectFailures: perEdge("envoy_cluster_upstream_cx_connect_fail"),
  p50: quantile(0.5),
  p99: quantile(0.99),
  refusedCalls: `sum by (zone, service, lucid_port, lucid_caller_zone) (rate(envoy_http_rbac_denied{${FROM_SIDECARS}, lucid_port!=""}${RANGE})) > 0`,
  refusedPeers: `sum by (zone, service) (${refusedBy("envoy_listener_ssl_fail_verify_error")} or ${refusedBy("envoy_listener_ssl_fail_verify_san")}) > 0`,
  sidecars: `count by (service) (up{${FROM_SIDECARS}} == 1)`,
  unreached: `up{${FROM_SIDECARS}} == 0`,
  enforcement: ENFORCEMENT_QUERY,
} as const;

export type Question = keyof typeof QUERIES;

/** What was seen of one edge. */
export interface SeenEdge {
  readonly from: string;
  readonly to: string;
  readonly port: string;
  readonly observed: Observed;
}

/** Calls, or peers, that a callee's sidecar refused. */
export interface Refusals {
  readonly zone: ZoneName | null;
  readonly service: string;
  /** Of calls: the port, and where the caller stands. */
  readonly port?: string;
  readonly callerZone?: string;
  readonly perSecond: number;
}

/** All that Prometheus has seen, at one time. */
export interface Traffic {
  readonly edges: ReadonlyMap<string, SeenEdge>;
  readonly refusedCalls: readonly Refusals[];
  readonly refusedPeers: readonly Refusals[];
  /** Sidecars that it reaches. */
  readonly reached: number;
  /** Pods whose sidecar it doesn't. */
  readonly unreached: readonly string[];
  /** What the live canary found; null where nothing was told of it. */
  readonly enforcement: EnforcementOverview | null;
}

/** Identifies an edge among others. */
export function edgeKey(from: string, to: string, port: string): string {
  return `${from}/${to}/${port}`;
}

/** One series of an instant query's answer. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const answerSchema = z.object({
  status: z.literal("success"),
  data: z.object({
    resultType: z.literal("vector"),
    result: z.array(z.object({ metric: z.record(z.string(), z.string()), value: z.tuple([z.number(), z.string()]) })),
  }),
});

/** Most series that are read of one answer: twenty edges of each of a thousand services. */
const MOST_SERIES = 20_000;

/**
 * Reads an answer to an instant query.
 *
 * @throws where it is none, or tells more than a mesh can have
 * @see https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries
 */
export function parseAnswer(answer: unknown): Sample[] {
  const { result } = answerSchema.parse(answer).data;
  if (result.length > MOST_SERIES) {
    throw new Error(`Prometheus answers with ${String(result.length)} series, more than ${String(MOST_SERIES)}`);
  }
  return result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
}

/** What the answers to all questions say together. Series whose labels are no names of the mesh are left out. */
export function trafficOf(answers: Readonly<Record<Question, readonly Sample[]>>): Traffic {
  const edges = new Map<string, { from: string; to: string; port: string; observed: Mutable<Observed> }>();
  const tell = (samples: readonly Sample[], set: (observed: Mutable<Observed>, value: number) => void): void => {
    for (const { labels, value } of samples) {
      const { service: from, lucid_callee: to, lucid_callee_port: port } = labels;
      if (isName(from) && isName(to) && isName(port)) {
        const key = edgeKey(from, to, port);
        const edge = edges.get(key) ?? { from, to, port, observed: nothing() };
        set(edge.observed, value);
        edges.set(key, edge);
      }
    }
  };
  tell(answers.requests, (observed, value) => (observed.requestsPerSecond = rateOf(value)));
  tell(answers.failures, (observed, value) => (observed.failuresPerSecond = rateOf(value)));
  tell(answers.connections, (observed, value) => (observed.connectionsPerSecond = rateOf(value)));
  tell(answers.connectFailures, (observed, value) => (observed.connectFailuresPerSecond = rateOf(value)));
  tell(answers.p50, (observed, value) => (observed.p50 = Number.isFinite(value) ? value : null));
  tell(answers.p99, (observed, value) => (observed.p99 = Number.isFinite(value) ? value : null));
  return {
    edges,
    refusedCalls: answers.refusedCalls.flatMap(refusals),
    refusedPeers: answers.refusedPeers.flatMap(refusals),
    reached: answers.sidecars.reduce((sum, { value }) => sum + value, 0),
    unreached: answers.unreached.flatMap(({ labels: { pod } }) => (isPod(pod) ? [pod] : [])).sort(),
    enforcement: enforcementOf(answers.enforcement.filter(({ labels: { node } }) => isPod(node))),
  };
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

function nothing(): Mutable<Observed> {
  return {
    requestsPerSecond: 0,
    failuresPerSecond: 0,
    connectionsPerSecond: 0,
    connectFailuresPerSecond: 0,
    p50: null,
    p99: null,
  };
}

function refusals({ labels, value }: Sample): Refusals[] {
  const { service, zone: label, lucid_port: port, lucid_caller_zone: callerZone } = labels;
  if (!isName(service)) {
    return [];
  }
  const zone = ZONES.find((known) => known === label) ?? null;
  const perSecond = rateOf(value);
  return [
    { zone, service, perSecond, ...(isName(port) ? { port } : {}), ...(isName(callerZone) ? { callerZone } : {}) },
  ];
}

function rateOf(value: number): number {
  return Number.isFinite(value) && value > 0 ? value : 0;
}

function isName(label: string | undefined): label is string {
  return label !== undefined && /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(label);
}

/** Names of pods and nodes may have dots besides. */
function isPod(label: string | undefined): label is string {
  return label !== undefined && /^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$/.test(label);
}
