import { ZONES, type Mesh, type Service, type ZoneName } from "../model";
import { WELL_KNOWN } from "../wire";

/**
 * Services whose certificates a zone's issuer makes, by name: all of the zone but the controller, which runs before any issuer does, and those that nobody is to believe.
 * The discovery backend is no service: its certificates are Pulumi's to make.
 */
export function issuedServices(mesh: Pick<Mesh, "services">, zone: ZoneName): readonly Service[] {
  return mesh.services.filter((service) => service.zone === zone && isIssued(service) && service.revoked === undefined);
}

/** Whether a service's certificate is an issuer's to make, as long as it is believed. */
export function isIssued({ name }: Pick<Service, "name">): boolean {
  return name !== WELL_KNOWN.controller;
}

/** Zones that have an issuer: those with services whose certificates it makes. */
export function issuingZones(mesh: Pick<Mesh, "services">): readonly ZoneName[] {
  return ZONES.filter((zone) => issuedServices(mesh, zone).length > 0);
}
