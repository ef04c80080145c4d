/** From the document to the mesh: every default filled in, every name computed, every edge written out. */
import { addressOf } from "./addresses";
import { asks, authenticationEdges } from "./authentication/authenticator";
import { OTLP_PORT } from "./checks/names";
import { answersGet, dialPortOf } from "./defaults";
import { parseDocument } from "./document/document";
import { grpcRequest } from "./grpc";
import { endOf, isOver } from "./instant";
import { resolveEndUsers, type KeySets } from "./authentication/end-users";
import {
  ZONES,
  type Application,
  type Authenticator,
  type Edge,
  type EdgeRule,
  type HealthCheck,
  type Mesh,
  type Protocol,
  type Service,
  type ServicePort,
  type Workload,
  type Zone,
} from "./model";
import { DOMAIN, discoveryNameOf, hostnameOf, identityOf, namespaceOf, trustDomainOf } from "./names";
import { runsIn } from "./datacenters/placement";
import { ownDatacenter, resolveDatacenters } from "./datacenters/resolve";
import { resolveJob } from "./jobs/resolve";
import { compare, sortedKeys } from "./order";
import { MeshDocumentError } from "./document/problems";
import type { CallDeclaration, MeshDocument, PortDeclaration, ServiceDeclaration } from "./schema";
import { firstPort } from "./ports";
import { earlierEnd, resolveExternal } from "./external/resolve";
import { edgeTraffic, serviceTrafficOf } from "./traffic/resolve";
import { isClosed, withoutPods } from "./revocation";
import { resolveVersions, splitOf } from "./versions";
import { WELL_KNOWN } from "./wire";

/** What a stack decides about the mesh that the document doesn't say. */
export interface ResolveOptions {
  /** Every service but the trace collector gets an edge for its spans. Default: false. */
  readonly tracing?: boolean;
  /**
   * The time, as `Date.prototype.toISOString` writes it: calls whose end has come are set apart (`Mesh.ended`) and not rendered.
   * Default: none is left out; each sidecar refuses an ended call by itself.
   */
  readonly now?: string;
  /** Texts of the key set files that the document names (see `keySetFiles`), by their paths as written there. Default: none. */
  readonly keySets?: KeySets;
  /** Which of the document's datacenters is resolved: what runs there, and what of the others it has to do with. Needed where the document has some. */
  readonly datacenter?: string;
}

/** The one request that a sidecar makes of the trace collector (OTLP over gRPC, opentelemetry-proto, collector/trace/v1). */
const SPAN_EXPORT: EdgeRule = {
  methods: ["POST"],
  paths: ["/opentelemetry.proto.collector.trace.v1.TraceService/Export"],
};

/**
 * Reads and resolves `mesh.yaml`.
 *
 * @throws MeshDocumentError with every problem of the document
 */
export function loadMesh(text: string, file?: string, options?: ResolveOptions): Mesh {
  return resolveMesh(parseDocument(text, file), options);
}

/**
 * Resolves a document that has no problems (from parseDocument or validateDocument).
 * The order of services in the document makes no difference.
 *
 * @throws MeshDocumentError when tracing is on and nobody collects traces, a key set file is missing or wrong, or the datacenter is none of the document's
 */
export function resolveMesh(document: MeshDocument, options: ResolveOptions = {}): Mesh {
  const { keySets = {} } = options;
  const datacenter = ownDatacenter(document, options.datacenter);
  const isHere = (declaration: ServiceDeclaration) => datacenter === undefined || runsIn(declaration, datacenter);
  const everywhere = document.services
    .map((service) => resolveService(service, keySets, datacenter))
    .sort((a, b) => compare(a.name, b.name));
  const allByName = new Map(everywhere.map((service) => [service.name, service]));
  const declarations = new Map(document.services.map((declaration) => [declaration.name, declaration]));
  const here = new Set(document.services.filter(isHere).map(({ name }) => name));
  const services = everywhere.filter(({ name }) => here.has(name));
  const byName = new Map(services.map((service) => [service.name, service]));
  const calls = document.services
    .flatMap((declaration) => callEdges(declaration, allByName, declarations))
    .sort(byEnds);
  const declared = calls.filter(({ from, to }) => here.has(from) && here.has(to));
  const { now } = options;
  const hasEnded = ({ until }: Edge) => now !== undefined && until !== undefined && isOver(until, now);
  const spans =
    options.tracing === true
      ? telemetryEdges(services, byName.get(WELL_KNOWN.jaeger), declarations.get(WELL_KNOWN.jaeger))
      : [];
  const authenticator = resolveAuthenticator(document, byName);
  const questions = authenticationEdges(
    services,
    authenticator,
    edgeTraffic("grpc", declarations.get(authenticator?.service ?? "")?.traffic),
  );
  const standing = declared.filter((edge) => !hasEnded(edge));
  const open = (edge: Edge) => !isClosed(edge, allByName);
  const mesh: Mesh = {
    domain: DOMAIN,
    zones: ZONES.map((name): Zone => ({
      name,
      namespace: namespaceOf(name),
      trustDomain: trustDomainOf(name, datacenter),
    })),
    services,
    edges: [...standing, ...spans, ...questions].filter(open).sort(byEnds),
    ended: declared.filter(hasEnded),
    closed: standing.filter((edge) => !open(edge)),
  };
  return {
    ...mesh,
    ...(authenticator === undefined ? {} : { authenticator }),
    ...(datacenter === undefined
      ? {}
      : {
          datacenters: resolveDatacenters(document, datacenter, keySets, {
            standing: calls.filter((edge) => !hasEnded(edge)),
            isOpen: open,
            serviceIn: (service, other) => ({ ...resolveService(service, keySets, other), datacenter: other }),
          }),
        }),
  };
}

function resolveAuthenticator(
  { authentication }: MeshDocument,
  services: ReadonlyMap<string, Service>,
): Authenticator | undefined {
  if (authentication === undefined) return undefined;
  const { service, timeoutMs, headers } = authentication;
  const port = authentication.port ?? services.get(service)?.ports.find(({ protocol }) => protocol === "grpc")?.name;
  if (port === undefined) throw unchecked(`no port of '${service}' can be asked about callers`);
  return { service, port, timeoutMs, headers: [...headers].sort(compare) };
}

function resolveService(declaration: ServiceDeclaration, keySets: KeySets, datacenter: string | undefined): Service {
  const { name, plane: zone } = declaration;
  const ports = (declaration.ports ?? []).map((port, index) => resolvePort(declaration, port, index, keySets));
  const workload = resolveWorkload(declaration);
  const revoked = declaration.revoked?.trim();
  return {
    name,
    zone,
    namespace: namespaceOf(zone),
    identity: identityOf(name, zone, datacenter),
    hostname: hostnameOf(name),
    discoveryName: discoveryNameOf(name, datacenter),
    address: declaration.address ?? addressOf(name),
    ports,
    ...(isAsked(declaration) ? { health: resolveHealth(declaration, ports) } : {}),
    ...(declaration.metrics === undefined
      ? {}
      : { metrics: { path: declaration.metrics.path, port: askedPort(name, declaration.metrics.port, ports) } }),
    workload: revoked === undefined ? workload : withoutPods(workload),
    load: declaration.load,
    traffic: serviceTrafficOf(declaration.traffic),
    version: declaration.version,
    ...(revoked === undefined ? {} : { revoked }),
  };
}

/** Whether the application of a service is asked if it is ready: what ends by itself is not, what is outside the cluster is asked where it is, and a gateway has none. */
function isAsked({ name, workload, external }: ServiceDeclaration): boolean {
  return workload === undefined && external === undefined && name !== WELL_KNOWN.gateway;
}

function resolvePort(service: ServiceDeclaration, port: PortDeclaration, index: number, keySets: KeySets): ServicePort {
  const dialPort = dialPortOf(port, index);
  if (dialPort === undefined) throw unchecked(`port '${port.name}' has no dialPort`);
  const at = `services.${service.name}.ports[${String(index)}].endUsers`;
  return {
    name: port.name,
    port: port.port,
    protocol: port.protocol,
    dialPort,
    ...(port.endUsers === undefined ? {} : { endUsers: resolveEndUsers(port.endUsers, keySets, at) }),
    ...(asks(service, port) ? { asksAuthenticator: true } : {}),
  };
}

function resolveHealth({ health, name }: ServiceDeclaration, ports: readonly ServicePort[]): HealthCheck {
  return { path: health.path, port: askedPort(name, health.port, ports) };
}

/** Number of the port that the mesh asks by GET: the one that is said, by name or number, else the first that answers. */
function askedPort(service: string, said: string | number | undefined, ports: readonly ServicePort[]): number {
  if (typeof said === "number") return said;
  const asked = ports.find(({ name, protocol }) => (said === undefined ? answersGet(protocol) : name === said));
  if (asked === undefined) throw unchecked(`no port of '${service}' can be asked by GET`);
  return asked.port;
}

function resolveWorkload(declaration: ServiceDeclaration): Workload {
  const { replicas, image, command, args, env, resources, workload, joinedBy, external } = declaration;
  if (declaration.component) return { kind: "component", replicas };
  if (joinedBy !== undefined) return { kind: "joined", owner: joinedBy, replicas };
  if (external !== undefined) return resolveExternal(external, declaration.ports ?? [], replicas);
  if (declaration.versions !== undefined) return resolveVersions(declaration, declaration.versions);
  if (image === undefined) throw unchecked(`'${declaration.name}' has no image`);
  const application: Application = {
    image,
    ...(command === undefined ? {} : { command }),
    args,
    env: sortedKeys(env),
    resources,
  };
  return workload === undefined ? { ...application, kind: "application", replicas } : resolveJob(application, workload);
}

function callEdges(
  declaration: ServiceDeclaration,
  services: ReadonlyMap<string, Service>,
  declarations: ReadonlyMap<string, ServiceDeclaration>,
): Edge[] {
  return declaration.calls.flatMap((call, index) => {
    const callee = services.get(call.service);
    const declared = declarations.get(call.service);
    if (callee === undefined || declared === undefined) throw unchecked(`'${call.service}' is not declared`);
    const crossesZones = declaration.plane !== callee.zone;
    const split = splitOf(call, declared);
    return (call.ports ?? [firstPort(callee).name]).map((port): Edge => {
      const edge: Edge = {
        from: declaration.name,
        to: callee.name,
        port,
        kind: "call",
        rules: rulesOf(call),
        ...(split === undefined ? {} : { split }),
        crossesZones,
        traffic: edgeTraffic(protocolOf(callee, port), declared.traffic, call.traffic),
        source: `services.${declaration.name}.calls[${String(index)}]`,
      };
      return {
        ...edge,
        ...(call.reason === undefined ? {} : { reason: call.reason.trim() }),
        ...endOfEdge(call, callee),
      };
    });
  });
}

function rulesOf(call: CallDeclaration): readonly EdgeRule[] {
  const short = call.methods === undefined && call.paths === undefined && call.grpc === undefined ? [] : [call];
  return (call.rules ?? short).map(({ methods, paths, grpc }) => {
    const requests = (grpc ?? []).map(grpcRequest);
    return {
      methods: [...new Set([...(methods ?? []), ...requests.map(({ method }) => method)])].sort(compare),
      paths: [...(paths ?? []), ...requests.map(({ path }) => path)].sort(compare),
    };
  });
}

/** When a call ends: by itself, or with the leave to reach its callee in plain text. */
function endOfEdge({ until }: CallDeclaration, { workload }: Service): Pick<Edge, "until"> {
  const leave = workload.kind === "external" ? workload.plaintext?.until : undefined;
  const end = earlierEnd(until === undefined ? undefined : resolveEnd(until), leave);
  return end === undefined ? {} : { until: end };
}

function resolveEnd(until: string): string {
  const end = endOf(until);
  if (end === undefined) throw unchecked(`'${until}' is no date`);
  return end;
}

function telemetryEdges(
  services: readonly Service[],
  collector: Service | undefined,
  declaration: ServiceDeclaration | undefined,
): Edge[] {
  if (collector === undefined) {
    const mend = `declare '${WELL_KNOWN.jaeger}' with a port '${OTLP_PORT}', or turn tracing off (lucid-mesh:tracingEnabled)`;
    throw new MeshDocumentError([{ path: "services", message: "tracing is on and nobody collects traces", mend }]);
  }
  return services
    .filter((service) => service.name !== collector.name)
    .map((service) => ({
      from: service.name,
      to: collector.name,
      port: OTLP_PORT,
      kind: "telemetry",
      rules: [SPAN_EXPORT],
      reason: "Spans of its calls go to the trace collector",
      crossesZones: service.zone !== collector.zone,
      traffic: edgeTraffic(protocolOf(collector, OTLP_PORT), declaration?.traffic),
      source: "tracing",
    }));
}

function byEnds(a: Edge, b: Edge): number {
  return compare(a.from, b.from) || compare(a.to, b.to) || compare(a.port, b.port);
}

function protocolOf(callee: Service, name: string): Protocol {
  const port = callee.ports.find((candidate) => candidate.name === name);
  if (port === undefined) throw unchecked(`'${callee.name}' has no port '${name}'`);
  return port.protocol;
}

/** For documents that were made by hand and skipped validateDocument. */
function unchecked(message: string): MeshDocumentError {
  return new MeshDocumentError([{ path: "document", message, mend: "check it by validateDocument first" }], "document");
}
