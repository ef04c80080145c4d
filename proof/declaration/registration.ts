/** What the document lets be registered and looked up at the discovery backends. Nothing here comes from what makes the credentials. */
import { isJob } from "../../mesh";
import type { Mesh, Service } from "../../mesh";
import { WELL_KNOWN } from "../../mesh/wire";
import { partyName } from "../../policies/reachability";
import type { BackendName, RegistrationDeclaration } from "../../policies/reachability/registration";
import { DECLARED_DISCOVERY } from "./discovery";
import type { DiscoveryChoice } from "./discovery";
import type { Registrar } from "./discovery/model";

/** Exactly what a mesh declares at its backend, and nothing at the others. */
export function registrationDeclarations(
  mesh: Mesh,
  { discoveryBackend }: DiscoveryChoice,
): readonly RegistrationDeclaration[] {
  const services = new Map(mesh.services.map(({ name, zone }) => [name, partyName(zone, name)]));
  return (Object.keys(DECLARED_DISCOVERY) as BackendName[]).map((backend) => ({
    backend,
    services,
    entitlements: backend === discoveryBackend ? DECLARED_DISCOVERY[backend].entitlements(registrars(mesh)) : [],
  }));
}

/** One for each zone that has services; none where the controller is not believed. Where there is no controller, nobody need have what it would register by. */
function registrars(mesh: Mesh): readonly Registrar[] {
  const controller = mesh.services.find(({ name }) => name === WELL_KNOWN.controller);
  if (controller?.revoked !== undefined) return [];
  const party = partyName("mesh", WELL_KNOWN.controller);
  return mesh.zones
    .map(({ name: zone }) => ({ zone, services: mesh.services.filter((service) => service.zone === zone) }))
    .filter(({ services }) => services.length > 0)
    .map(({ zone, services }) => ({
      zone,
      party,
      isThere: controller !== undefined,
      services: new Set(services.filter(isRegistered).map(({ name }) => name)),
    }));
}

/** Nobody calls a job, and nobody believes a revoked service. */
function isRegistered(service: Service): boolean {
  return !isJob(service) && service.revoked === undefined;
}
