/** Who may call whom, who does, and how that goes. Pure. */
import type { ZoneName } from "../../../../mesh/model.js";
import type { Finding, GraphEdge, Observed } from "../../../../mesh/overview/model.js";
import type { DeclaredService } from "../services/resource.js";
import { edgeKey, type Traffic } from "./traffic.js";

/** Share of requests that fail from which on an edge is degraded, and failing. */
const DEGRADED = 0.05;
const FAILING = 0.5;

/** What stands in the graph: a service, and where it is. */
export interface GraphNode {
  readonly zone: ZoneName;
  readonly service: Pick<DeclaredService, "name" | "calls">;
}

/**
 * Every edge, sorted by its ends: declared ones with what was seen of them, and what was seen past them.
 *
 * @param traffic what was seen; undefined where nothing is known
 */
export function graphOf(nodes: readonly GraphNode[], traffic: Traffic | undefined): GraphEdge[] {
  const zones = new Map(nodes.map(({ zone, service }) => [service.name, zone]));
  const left = new Map(traffic?.edges);
  const edges = nodes.flatMap(({ zone, service }) =>
    service.calls.map((call): GraphEdge => {
      const key = edgeKey(service.name, call.service, call.port);
      const observed = traffic?.edges.get(key)?.observed ?? null;
      left.delete(key);
      const { reason, until, port, kind } = call;
      return {
        from: service.name,
        to: call.service,
        port,
        kind,
        crossesZones: call.zone !== zone,
        ...(reason === undefined ? {} : { reason }),
        ...(until === undefined ? {} : { until }),
        state: stateOf(observed),
        observed,
      };
    }),
  );
  // What a sidecar counted before its edge was taken back is shown until it is out of the window; only what has traffic is an edge.
  for (const { from, to, port, observed } of left.values()) {
    if (isUsed(observed)) {
      const crossesZones = zones.get(from) !== zones.get(to);
      edges.push({ from, to, port, kind: "undeclared", crossesZones, state: stateOf(observed), observed });
    }
  }
  return edges.sort((one, other) => {
    const [a, b] = [`${one.from}/${one.to}/${one.port}`, `${other.from}/${other.to}/${other.port}`];
    return a < b ? -1 : Number(a > b);
  });
}

/** What the edges that lead to a service say of it: that its callers are not well served. */
export function calleeFindings(edges: readonly GraphEdge[]): ReadonlyMap<string, readonly Finding[]> {
  const findings = new Map<string, Finding[]>();
  for (const { from, to, port, state, observed } of edges) {
    if (observed !== null && (state === "degraded" || state === "failing")) {
      const of = findings.get(to) ?? [];
      // Its own conditions say whether it is there at all.
      of.push({
        check: "traffic",
        state: "degraded",
        message: `calls of ${from} to ${port} fail: ${failuresOf(observed)}`,
      });
      findings.set(to, of);
    }
  }
  return findings;
}

function failuresOf({ requestsPerSecond, failuresPerSecond, connectFailuresPerSecond }: Observed): string {
  const parts = [
    ...(failuresPerSecond > 0
      ? [`${percent(failuresPerSecond / Math.max(requestsPerSecond, failuresPerSecond))} of requests`]
      : []),
    ...(connectFailuresPerSecond > 0 ? [`${connectFailuresPerSecond.toPrecision(2)} connections a second`] : []),
  ];
  return parts.join(" and ");
}

function percent(share: number): string {
  return `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`;
}

function isUsed({ requestsPerSecond, connectionsPerSecond, connectFailuresPerSecond }: Observed): boolean {
  return requestsPerSecond > 0 || connectionsPerSecond > 0 || connectFailuresPerSecond > 0;
}

function stateOf(observed: Observed | null): GraphEdge["state"] {
  if (observed === null) {
    return "unknown";
  }
  if (!isUsed(observed)) {
    return "idle";
  }
  const { requestsPerSecond, failuresPerSecond, connectionsPerSecond, connectFailuresPerSecond } = observed;
  const share = Math.max(
    failuresPerSecond / Math.max(requestsPerSecond, failuresPerSecond, Number.MIN_VALUE),
    // A connection is counted when it is begun, whether or not it comes about.
    connectFailuresPerSecond / Math.max(connectionsPerSecond, connectFailuresPerSecond, Number.MIN_VALUE),
  );
  return share >= FAILING ? "failing" : share >= DEGRADED ? "degraded" : "well";
}
