/** What the document lets sidecars do: its calls, and who looks at sidecars. Nothing here comes from what renders their files. */
import { findService, serviceNamed } from "../../mesh";
import type { Mesh, Service } from "../../mesh";
import { INSPECTION_PORT_NAME, NODE_RESOLVER, VERSION_TAG_PREFIX, WELL_KNOWN } from "../../mesh/wire";
import { partyName } from "../../policies/reachability";
import { healthTarget, pathPattern, serviceOf, zoneOf } from "../../policies/reachability/envoy";
import { crossingEdges, passagesOf, tokensOf, withOrder } from "./crossings";
import { declaredEdge, partyOf, targetOf } from "./edge";
import { outsideOf } from "./outside";
import type { Declaration, DeclaredEdge, DeclaredOpening, Party } from "../../policies/reachability/envoy";

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
  const resolver = `${nodeResolverIp}:${NODE_RESOLVER.dnsPort}`;
  return {
    edges: [
      ...mesh.edges.map((edge) => withOrder(mesh, edge, declaredEdge(mesh, edge))),
      ...crossingEdges(mesh, resolver),
      ...Object.keys(INSPECTED).flatMap((inspector) => inspections(mesh, inspector)),
    ],
    openings: mesh.services.flatMap(openingsOf),
    outside: mesh.services.flatMap(outsideOf),
    passages: passagesOf(mesh),
    tokens: tokensOf(mesh),
    resolver,
    lookedUp: (party) => discoveryNames(serviceNamed(mesh, serviceOf(party))),
    nameOf,
  };
}

/** What messages call a party; of another datacenter with its name. */
function nameOf(party: Party): string {
  const [zone = "", datacenter] = zoneOf(party).split(".");
  const name = partyName(zone, serviceOf(party));
  return datacenter === undefined ? name : `${name} of ${datacenter}`;
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

/** The names under which a service's pods may be looked up: all of them, and those of each version. */
function discoveryNames({ workload, discoveryName }: Service): readonly string[] {
  const versions = workload.kind === "versions" ? workload.versions.map(({ name }) => name) : [];
  return [discoveryName, ...versions.map((version) => `${VERSION_TAG_PREFIX}${version}.${discoveryName}`)];
}
