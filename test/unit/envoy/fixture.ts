import type { EnvoyOptions } from "../../../envoy";
import {
  ZONES,
  type Edge,
  type EdgeRule,
  type Mesh,
  type Protocol,
  type Service,
  type ServicePort,
  type ZoneName,
} from "../../../mesh/model";
import { DEFAULT_LOAD } from "../../../mesh/schema";
import { edgeTraffic, serviceTrafficOf } from "../../../mesh/traffic";

/** Options as the program uses them, with a resolver of the tests' own. */
export const OPTIONS: EnvoyOptions = { resolverAddress: "10.96.64.53", tracing: true, adminPort: 15000, mtls: true };

/** A port, `name:protocol:port:dialPort`. */
function port(name: string, protocol: Protocol, number: number, dialPort: number): ServicePort {
  return { name, protocol, port: number, dialPort };
}

/** A service with its derived names, as the resolver would make it. `index` makes its loopback address. */
export function makeService(name: string, zone: ZoneName, index: number, ports: Service["ports"]): Service {
  const namespace = `lucid-${zone}`;
  return {
    name,
    zone,
    namespace,
    identity: `spiffe://${zone}.lucid.internal/ns/${namespace}/sa/${name}`,
    hostname: `${name}.lucid.internal`,
    discoveryName: `${name}.service.discovery.lucid.internal`,
    address: `127.64.0.${String(index)}`,
    ports,
    ...(ports[0] === undefined ? {} : { health: { path: "/health", port: ports[0].port } }),
    workload: { kind: "component", replicas: 1 },
    load: DEFAULT_LOAD,
    traffic: serviceTrafficOf(),
    version: "1.0.0",
  };
}

/** An edge; a telemetry edge when it goes to the collector. */
export function makeEdge(from: Service, to: Service, portName: string, rules: readonly EdgeRule[] = []): Edge {
  return {
    from: from.name,
    to: to.name,
    port: portName,
    kind: portName === "otlp" ? "telemetry" : "call",
    rules,
    reason: "a test wants it",
    crossesZones: from.zone !== to.zone,
    traffic: edgeTraffic(to.ports.find(({ name }) => name === portName)?.protocol ?? "http"),
    source: `services.${from.name}.calls`,
  };
}

export function makeMesh(services: readonly Service[], edges: readonly Edge[]): Mesh {
  return {
    domain: "lucid.internal",
    zones: ZONES.map((name) => ({ name, namespace: `lucid-${name}`, trustDomain: `${name}.lucid.internal` })),
    services: [...services].sort((a, b) => a.name.localeCompare(b.name)),
    edges,
    ended: [],
    closed: [],
  };
}

const http = port("http", "http", 8080, 80);
const grpc = port("grpc", "grpc", 8079, 81);

/** Services of {@link everyProtocol}, by their names in the code of tests. Of two the applications tell metrics: at a port of the service, and at one of their own. */
export const services = {
  console: { ...makeService("console", "ops", 1, [http]), metrics: { path: "/metrics", port: 9100 } },
  prometheus: makeService("prometheus", "ops", 2, [port("http", "http", 9090, 80)]),
  jaeger: makeService("jaeger", "ops", 3, [port("query", "http", 16686, 80), port("otlp", "grpc", 4317, 4317)]),
  blocks: {
    ...makeService("blocks", "chain", 4, [
      http,
      grpc,
      port("feed", "websocket", 8090, 8090),
      port("peer", "tcp", 8333, 8333),
      port("stream", "http2", 8091, 8091),
    ]),
    metrics: { path: "/internal/metrics", port: 8080 },
  },
  router: makeService("router", "wallet", 5, [http, grpc]),
  payment: makeService("payment", "wallet", 6, [grpc]),
  controller: makeService("mesh-controller", "mesh", 7, [http]),
} as const;

const traced = [services.console, services.prometheus, services.blocks, services.router, services.payment];

/** A mesh in which every protocol is called, inside a zone and across, with rules and without. */
export const everyProtocol: Mesh = makeMesh(Object.values(services), [
  makeEdge(services.console, services.blocks, "feed"),
  makeEdge(services.console, services.blocks, "http", [
    { methods: ["GET", "HEAD"], paths: ["/blocks/*", "/height"] },
    { methods: ["POST"], paths: ["/echo"] },
  ]),
  makeEdge(services.console, services.prometheus, "http", [{ methods: ["GET"], paths: [] }]),
  makeEdge(services.router, services.blocks, "grpc"),
  makeEdge(services.router, services.blocks, "http"),
  makeEdge(services.router, services.blocks, "peer"),
  makeEdge(services.router, services.blocks, "stream"),
  {
    ...makeEdge(services.router, services.payment, "grpc", [
      { methods: ["POST"], paths: ["/fgrpc.PingServer/Ping", "/grpc.health.v1.Health/*"] },
    ]),
    until: "2099-01-01T00:00:00Z",
  },
  ...traced.map((service) => makeEdge(service, services.jaeger, "otlp")),
]);
