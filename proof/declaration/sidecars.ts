/** What the document lets sidecars do: its calls, and who looks at sidecars. Nothing here comes from what renders their files. */
import { findService, isDialled, serviceNamed } from "../../mesh";
import type { Edge, Mesh, Protocol, Service, ServicePort } from "../../mesh";
import { INSPECTION_PORT_NAME, NODE_RESOLVER, VERSION_TAG_PREFIX, WELL_KNOWN } from "../../mesh/wire";
import { partyName } from "../../policies/reachability";
import { healthTarget, hostText, outsideText, pathPattern, serviceOf, zoneOf } from "../../policies/reachability/envoy";
import { outsideOf, outsidePort } from "./outside";
import type {
  Carries,
  Declaration,
  DeclaredEdge,
  DeclaredOpening,
  FurtherCondition,
  Party,
  RequestRule,
} from "../../policies/reachability/envoy";

/** What of a stack's configuration sidecars go by. */
export interface SidecarSurroundings {
  readonly nodeResolverIp: string;
}

/** Where Prometheus asks a sidecar for what the application tells of itself. */
const APPLICATION_METRICS = "/metrics";

/** What either inspector asks of a sidecar itself: a path with a query is that question and no other. */
const INSPECTED: Readonly<Record<string, readonly string[]>> = {
  [WELL_KNOWN.prometheus]: ["/stats/prometheus"],
  [WELL_KNOWN.controller]: ["/certs", "/stats?filter=_manager."],
};

/** Exactly what a mesh declares: all of it open, and nothing else. */
export function sidecarDeclaration(mesh: Mesh, { nodeResolverIp }: SidecarSurroundings): Declaration {
  return {
    edges: [
      ...mesh.edges.map((edge) => declaredEdge(mesh, edge)),
      ...Object.keys(INSPECTED).flatMap((inspector) => inspections(mesh, inspector)),
    ],
    openings: mesh.services.flatMap(openingsOf),
    outside: mesh.services.flatMap(outsideOf),
    resolver: `${nodeResolverIp}:${NODE_RESOLVER.dnsPort}`,
    lookedUp: (party) => discoveryNames(serviceNamed(mesh, serviceOf(party))),
    nameOf: (party) => partyName(zoneOf(party), serviceOf(party)),
  };
}

function declaredEdge(mesh: Mesh, edge: Edge): DeclaredEdge {
  const callee = serviceNamed(mesh, edge.to);
  const port = callee.ports.find(({ name }) => name === edge.port);
  if (port === undefined) throw new RangeError(`${edge.to} has no port ${edge.port}`);
  const further: FurtherCondition[] = [
    ...(port.endUsers === undefined ? [] : (["end-users"] as const)),
    ...(port.asksAuthenticator === true ? (["authenticator"] as const) : []),
  ];
  return {
    from: partyOf(serviceNamed(mesh, edge.from)),
    to: partyOf(callee),
    port: edge.port,
    target: endOf(callee, port),
    carries: carriedBy(port.protocol),
    requests: edge.rules.map(({ methods, paths }): RequestRule => ({
      ...(methods.length === 0 ? {} : { methods }),
      ...(paths.length === 0 ? {} : { paths: paths.map(pathPattern) }),
    })),
    ...(edge.until === undefined ? {} : { until: edge.until }),
    ...(isDialled(edge) ? { dialled: { name: callee.hostname, port: port.dialPort } } : {}),
    further,
  };
}

/** The sidecars that an inspector looks at: all of them, its own too. A revoked one lets it not in, and a revoked inspector looks at nobody. */
function inspections(mesh: Mesh, name: string): DeclaredEdge[] {
  const inspector = findService(mesh, name);
  if (inspector === undefined || inspector.revoked !== undefined) return [];
  const asked = (service: Service, target: string, paths: readonly string[]): DeclaredEdge => ({
    from: partyOf(inspector),
    to: partyOf(service),
    port: INSPECTION_PORT_NAME,
    target,
    carries: "requests",
    requests: [{ methods: ["GET"], paths: paths.map(pathPattern) }],
    // Its sidecar goes to a whole zone by address.
    byAddress: true,
    ...(service.revoked === undefined ? {} : { only: "caller" }),
  });
  return mesh.services.flatMap((service) => {
    const { metrics } = service;
    const own = asked(service, "admin", INSPECTED[name] ?? []);
    if (name !== WELL_KNOWN.prometheus || metrics === undefined) return [own];
    return [own, asked(service, `${targetOf(service, metrics.port)}${metrics.path}`, [APPLICATION_METRICS])];
  });
}

/** What kubelet asks, of Envoy and through it of the application. */
function openingsOf(service: Service): DeclaredOpening[] {
  const party = partyOf(service);
  const ready = { party, request: "GET /ready", target: "admin/ready" };
  if (service.workload.kind === "external") {
    const clusters = service.ports.map(({ name }) => `application|${name}`);
    return [ready, { party, request: "GET /health", target: healthTarget(clusters) }];
  }
  if (service.health === undefined) return [ready];
  const { port, path } = service.health;
  return [ready, { party, request: "GET /health", target: `${targetOf(service, port)}${path}` }];
}

/** Where a call ends: at the application, or at what is outside the cluster, for the host that its certificate names. */
function endOf(service: Service, port: ServicePort): string {
  const outside = outsidePort(service, port);
  if (outside === undefined) return targetOf(service, port.port);
  const { tls } = outside;
  return `${outsideText(outside)}${tls === undefined || port.protocol === "tcp" ? "" : hostText(tls.serverName)}`;
}

/** Where a port of the application is, and how it is spoken to. */
function targetOf({ ports }: Service, port: number): string {
  const protocol = ports.find((candidate) => candidate.port === port)?.protocol;
  return `127.0.0.1:${port}${protocol === "grpc" || protocol === "http2" ? " by HTTP/2" : ""}`;
}

function carriedBy(protocol: Protocol): Carries {
  if (protocol === "tcp") return "bytes";
  return protocol === "websocket" ? "websocket" : "requests";
}

/** The names under which a service's pods may be looked up: all of them, and those of each version. */
function discoveryNames({ workload, discoveryName }: Service): readonly string[] {
  const versions = workload.kind === "versions" ? workload.versions.map(({ name }) => name) : [];
  return [discoveryName, ...versions.map((version) => `${VERSION_TAG_PREFIX}${version}.${discoveryName}`)];
}

function partyOf({ zone, name }: Service): Party {
  return `${zone}/${name}`;
}
