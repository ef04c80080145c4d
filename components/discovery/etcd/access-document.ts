import { findService, isJob, type Mesh, type Zone } from "../../../mesh";
import { ETCD_RESOLVER, ETCD_ROOT, etcdPrefixOf, etcdRegistrarOf } from "../../../mesh/etcd";
import { WELL_KNOWN } from "../../../mesh/wire";

/** The right to all keys that begin with a prefix; `write` includes to read. */
interface Permission {
  readonly prefix: string;
  readonly access: "read" | "write";
}

/** What etcd's users and roles are kept equal to. */
export interface AccessDocument {
  readonly roles: Readonly<Record<string, readonly Permission[]>>;
  readonly users: Readonly<Record<string, { readonly roles: readonly string[]; readonly password: boolean }>>;
}

const RESOLVER_ROLE = "resolver";

/** The zones that have a registrar: those with services, and none while the controller, who has the registrars' passwords, is revoked. */
export function registrarZones(mesh: Mesh): readonly Zone[] {
  const trusted = findService(mesh, WELL_KNOWN.controller)?.revoked === undefined;
  return mesh.zones.filter((zone) => trusted && mesh.services.some((service) => service.zone === zone.name));
}

/**
 * Who may do what in etcd: for each zone a user that writes the names of the zone's own services, one prefix each, and a user of the node resolvers that reads all
 * names. A job is not registered, and a revoked service can't be: its names go.
 *
 * Names are hidden from nobody who may ask etcd: a registrar reads all of them, so that it finds what doesn't belong there in one request.
 */
export function accessDocument(mesh: Mesh): AccessDocument {
  const all: Permission = { prefix: ETCD_ROOT, access: "read" };
  const registrars = registrarZones(mesh).map((zone) => {
    const own = mesh.services
      .filter((service) => service.zone === zone.name && !isJob(service) && service.revoked === undefined)
      .map((service): Permission => ({ prefix: etcdPrefixOf(service.name), access: "write" }));
    return [etcdRegistrarOf(zone.name), [all, ...own]] as const;
  });
  return {
    roles: { ...Object.fromEntries(registrars), [RESOLVER_ROLE]: [all] },
    users: {
      ...Object.fromEntries(registrars.map(([name]) => [name, { roles: [name], password: true }])),
      // It is known by the common name of its certificate.
      [ETCD_RESOLVER]: { roles: [RESOLVER_ROLE], password: false },
    },
  };
}
