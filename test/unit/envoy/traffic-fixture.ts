import type { Edge, Mesh } from "../../../mesh/model";
import { edgeTraffic, serviceTrafficOf, type DeclaredTraffic } from "../../../mesh";
import { makeEdge, makeMesh, services } from "./fixture";

/** Every value declared, none at its default. */
export const DECLARED: DeclaredTraffic = {
  timeout: "5s",
  retries: {
    attempts: 1,
    on: ["5xx"],
    perTryTimeout: "2s",
    backoff: { base: "10ms", max: "1s" },
    budget: { percent: 10, minConcurrency: 1 },
  },
  circuitBreaker: { maxConnections: 10, maxPendingRequests: 20, maxRequests: 30 },
  outlierDetection: {
    consecutiveGatewayErrors: 0,
    consecutive5xxErrors: 7,
    consecutiveLocalErrors: 2,
    interval: "1s",
    baseEjectionTime: "3s",
    maxEjectionTime: "30s",
    maxEjectionPercent: 100,
  },
  rateLimit: { requestsPerSecond: 50, burst: 80 },
};

/** The same mesh with other traffic on the edges that `which` chooses. */
export function withTraffic(mesh: Mesh, which: (edge: Edge) => boolean, declared: DeclaredTraffic): Mesh {
  const protocolOf = (edge: Edge) =>
    mesh.services.find(({ name }) => name === edge.to)?.ports.find(({ name }) => name === edge.port)?.protocol ??
    "http";
  const edges = mesh.edges.map((edge) =>
    which(edge) ? { ...edge, traffic: edgeTraffic(protocolOf(edge), {}, declared) } : edge,
  );
  return { ...mesh, edges };
}

/** The same mesh with another connection limit of one service. */
export function withConnectionLimit(mesh: Mesh, service: string, connectionLimit: number): Mesh {
  const changed = mesh.services.map((each) =>
    each.name === service ? { ...each, traffic: serviceTrafficOf({ connectionLimit }) } : each,
  );
  return { ...mesh, services: changed };
}

const { console, prometheus, blocks, router } = services;

/** A mesh in which traffic is declared for every protocol: two callers of one zone with limits of their own, gRPC that may be repeated. */
export const declaredTraffic: Mesh = withConnectionLimit(
  withTraffic(
    withTraffic(
      makeMesh(
        [console, prometheus, blocks, router],
        [
          makeEdge(console, blocks, "feed"),
          makeEdge(console, blocks, "http"),
          makeEdge(prometheus, blocks, "http"),
          makeEdge(router, blocks, "grpc"),
          makeEdge(router, blocks, "peer"),
        ],
      ),
      ({ port }) => port !== "grpc",
      DECLARED,
    ),
    ({ port }) => port === "grpc",
    { ...DECLARED, retries: { ...DECLARED.retries, on: ["unavailable", "reset"], idempotent: true } },
  ),
  "blocks",
  100,
);
