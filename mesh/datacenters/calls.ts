/** Questions about calls between datacenters. Answers are looked up, as those about edges are. */
import { edgesFrom, findService, peerZones, type ServiceRef } from "../edges";
import { grouped } from "../grouped";
import type { Arrival, Departure, Edge, Mesh, PeerDatacenter, PeerZone, RemoteService, Service } from "../model";
import { peerZone } from "../names";
import { compare } from "../order";
import { WELL_KNOWN } from "../wire";

/** A call of a service here, and where it is answered. */
export interface OutgoingCall {
  readonly edge: Edge;
  /** In order; the own datacenter where the callee runs here. Undefined where nobody elsewhere answers. */
  readonly datacenters?: readonly string[];
}

/** What a service may call, wherever it is answered, sorted by (to, port); infrastructure edges too. */
export function callsFrom(mesh: Mesh, service: ServiceRef): readonly OutgoingCall[] {
  const here = edgesFrom(mesh, service);
  const leaving = new Map(departuresOf(mesh, service).map((departure) => [departure.edge, departure]));
  const calls = here.map((edge): OutgoingCall => leaving.get(edge) ?? { edge });
  const elsewhere = [...leaving.values()].filter(({ edge }) => !here.includes(edge));
  if (elsewhere.length === 0) return calls;
  return [...calls, ...elsewhere].sort((a, b) => compare(a.edge.to, b.edge.to) || compare(a.edge.port, b.edge.port));
}

/** The calls of a service that leave, or may. */
export function departuresOf(mesh: Mesh, service: ServiceRef): readonly Departure[] {
  return indexOf(mesh).departures.get(nameOf(service)) ?? [];
}

/** The calls from other datacenters that a service answers. */
export function arrivalsTo(mesh: Mesh, service: ServiceRef): readonly Arrival[] {
  return indexOf(mesh).arrivals.get(nameOf(service)) ?? [];
}

/** The callee of a call: as it is here, or else where the call is answered first. @throws RangeError where it is nowhere */
export function answererOf(mesh: Mesh, { edge, datacenters = [] }: OutgoingCall): Service {
  const here = findService(mesh, edge.to);
  if (here !== undefined) return here;
  const [first] = datacenters;
  if (first === undefined) throw new RangeError(`the mesh has no service '${edge.to}'`);
  return remoteService(mesh, first, edge.to);
}

/** A service as it is in another datacenter. @throws RangeError where nobody here has to do with it */
export function remoteService(mesh: Mesh, datacenter: string, name: string): RemoteService {
  const found = indexOf(mesh).services.get(`${datacenter}/${name}`);
  if (found === undefined) throw new RangeError(`nobody here has to do with '${name}' of datacenter '${datacenter}'`);
  return found;
}

/** Whether a service is this datacenter's gateway, and is believed. */
export function isGateway(mesh: Mesh, { name, revoked }: Pick<Service, "name" | "revoked">): boolean {
  return mesh.datacenters !== undefined && name === WELL_KNOWN.gateway && revoked === undefined;
}

/** Another datacenter by its name. @throws RangeError where no call joins it with this one */
export function peerNamed(mesh: Mesh, datacenter: string): PeerDatacenter {
  const found = mesh.datacenters?.peers.find(({ name }) => name === datacenter);
  if (found === undefined) throw new RangeError(`no call joins '${datacenter}' with this datacenter`);
  return found;
}

/** The datacenters whose services' tokens a service is shown, by name. */
export function tokenDatacenters(mesh: Mesh, service: Service): readonly string[] {
  const names = isGateway(mesh, service)
    ? (mesh.datacenters?.peers ?? []).filter(({ calls }) => calls).map(({ name }) => name)
    : arrivalsTo(mesh, service).map(({ datacenter }) => datacenter);
  return [...new Set(names)].sort(compare);
}

/**
 * Zones whose roots a service's sidecar must trust: those of this datacenter (see `peerZones`), and then those of others, by datacenter, of its callees there and of its
 * callers from there. A gateway trusts the zone of the others' gateways.
 */
export function trustedZones(mesh: Mesh, service: Service): readonly PeerZone[] {
  return [...peerZones(mesh, service), ...zonesElsewhere(mesh, service)];
}

function zonesElsewhere(mesh: Mesh, service: Service): readonly PeerZone[] {
  if (mesh.datacenters === undefined || service.revoked !== undefined) return [];
  const { own, peers } = mesh.datacenters;
  const gateways = isGateway(mesh, service) ? peers.map(({ name }) => [name, service.name] as const) : [];
  const callees = departuresOf(mesh, service).flatMap(({ edge, datacenters }) =>
    datacenters.filter((name) => name !== own).map((name) => [name, edge.to] as const),
  );
  const callers = arrivalsTo(mesh, service).map(({ edge, datacenter }) => [datacenter, edge.from] as const);
  const zones = [...gateways, ...callees, ...callers].map(([datacenter, name]) =>
    zoneElsewhere(remoteService(mesh, datacenter, name)),
  );
  return [...new Set(zones)].sort(compare);
}

/** The zone of a service elsewhere, as sidecars here name it. */
export function zoneElsewhere({ zone, datacenter }: RemoteService): PeerZone {
  return peerZone(zone, datacenter);
}

interface Index {
  readonly departures: ReadonlyMap<string, readonly Departure[]>;
  readonly arrivals: ReadonlyMap<string, readonly Arrival[]>;
  readonly services: ReadonlyMap<string, RemoteService>;
}

const indices = new WeakMap<Mesh, Index>();

function indexOf(mesh: Mesh): Index {
  const known = indices.get(mesh);
  if (known !== undefined) return known;
  const { departures = [], arrivals = [], services = [] } = mesh.datacenters ?? {};
  const index = {
    departures: grouped(departures, ({ edge }) => edge.from),
    arrivals: grouped(arrivals, ({ edge }) => edge.to),
    services: new Map(services.map((service) => [`${service.datacenter}/${service.name}`, service])),
  };
  indices.set(mesh, index);
  return index;
}

function nameOf(service: ServiceRef): string {
  return typeof service === "string" ? service : service.name;
}
