/** Questions about the edges of a mesh. Answers are looked up, so asking for each of a thousand services stays linear. */
import { grouped } from "./grouped";
import { ZONES, type Edge, type Mesh, type Service, type ZoneName } from "./model";
import { WELL_KNOWN } from "./wire";

/** Services that look at every sidecar. */
const INSPECTORS: readonly string[] = [WELL_KNOWN.prometheus, WELL_KNOWN.controller];

/** A service, or its name. */
export type ServiceRef = string | Pick<Service, "name">;

/** What a service may call, sorted by (to, port); infrastructure edges too. */
export function edgesFrom(mesh: Mesh, service: ServiceRef): readonly Edge[] {
  return indexOf(mesh).from.get(nameOf(service)) ?? [];
}

/** Who may call a service, sorted by (from, port); infrastructure edges too. */
export function edgesTo(mesh: Mesh, service: ServiceRef): readonly Edge[] {
  return indexOf(mesh).to.get(nameOf(service)) ?? [];
}

/** Whether the application itself may go this way; questions about its callers are its sidecar's alone, so it knows neither name nor address for them. */
export function isDialled(edge: Edge): boolean {
  return edge.kind !== "authentication";
}

/** A service by its name, or undefined. */
export function findService(mesh: Mesh, name: string): Service | undefined {
  return indexOf(mesh).services.get(name);
}

/**
 * A service by its name.
 *
 * @throws RangeError when there is none: a defect of the caller, as edges of a resolved mesh name declared services only
 */
export function serviceNamed(mesh: Mesh, name: string): Service {
  const service = findService(mesh, name);
  if (service === undefined) throw new RangeError(`the mesh has no service '${name}'`);
  return service;
}

/** Zones from which a service is called, in the order of ZONES. */
export function callerZones(mesh: Mesh, service: ServiceRef): readonly ZoneName[] {
  return zonesOf(edgesTo(mesh, service).map((edge) => serviceNamed(mesh, edge.from).zone));
}

/** Zones into which a service calls, in the order of ZONES. */
export function calleeZones(mesh: Mesh, service: ServiceRef): readonly ZoneName[] {
  return zonesOf(edgesFrom(mesh, service).map((edge) => serviceNamed(mesh, edge.to).zone));
}

/**
 * The services that look at a service's sidecar through its inspection listener: Prometheus and the controller, where declared. A revoked one looks at
 * nobody, and nobody at it.
 */
export function inspectorsOf(mesh: Mesh, service: Service): readonly Service[] {
  if (service.revoked !== undefined) return [];
  return INSPECTORS.flatMap((name) => {
    const inspector = findService(mesh, name);
    return inspector === undefined || inspector.revoked !== undefined ? [] : [inspector];
  });
}

/**
 * Zones whose roots a service's sidecar must trust, in the order of ZONES: its callers', its callees', and those that inspect it.
 * Who inspects looks at all, so it trusts every zone that has services.
 */
export function peerZones(mesh: Mesh, service: ServiceRef): readonly ZoneName[] {
  const found = serviceNamed(mesh, nameOf(service));
  if (found.revoked !== undefined) return [];
  if (INSPECTORS.includes(found.name)) return zonesOf(mesh.services.map(({ zone }) => zone));
  const inspectors = inspectorsOf(mesh, found).map(({ zone }) => zone);
  return zonesOf([...callerZones(mesh, found), ...calleeZones(mesh, found), ...inspectors]);
}

/** Zones with a service that tells metrics of its own, in the order of ZONES. */
export function zonesWithMetrics(mesh: Mesh): readonly ZoneName[] {
  return zonesOf(mesh.services.flatMap(({ zone, metrics }) => (metrics === undefined ? [] : [zone])));
}

interface MeshIndex {
  readonly services: ReadonlyMap<string, Service>;
  readonly from: ReadonlyMap<string, readonly Edge[]>;
  readonly to: ReadonlyMap<string, readonly Edge[]>;
}

const indices = new WeakMap<Mesh, MeshIndex>();

function indexOf(mesh: Mesh): MeshIndex {
  let index = indices.get(mesh);
  if (index === undefined) {
    index = {
      services: new Map(mesh.services.map((service) => [service.name, service])),
      from: grouped(mesh.edges, (edge) => edge.from),
      to: grouped(mesh.edges, (edge) => edge.to),
    };
    indices.set(mesh, index);
  }
  return index;
}

function zonesOf(zones: Iterable<ZoneName>): readonly ZoneName[] {
  const present = new Set(zones);
  return ZONES.filter((zone) => present.has(zone));
}

function nameOf(service: ServiceRef): string {
  return typeof service === "string" ? service : service.name;
}
