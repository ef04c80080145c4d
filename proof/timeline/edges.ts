/** Who speaks to whom by mutual TLS, by what the document declares and the mesh itself needs. */
import { findService } from "../../mesh";
import type { Mesh, Service } from "../../mesh";
import { WELL_KNOWN } from "../../mesh/wire";
import { partyName } from "../../policies/reachability";
import { DECLARED_DISCOVERY } from "../declaration/discovery";
import type { DiscoveryChoice } from "../declaration/discovery";
import type { Edge } from "./model";

/** Edges of a mesh, each once: its calls, who inspects sidecars, and the discovery backend's. */
export function tlsEdges(mesh: Mesh, { discoveryBackend }: DiscoveryChoice): readonly Edge[] {
  const trusted = mesh.services.filter(isTrusted);
  const named = new Map(trusted.map((service) => [service.name, nameOf(service)]));
  const calls = mesh.edges.flatMap(({ from, to }): Edge[] => {
    const [caller, callee] = [named.get(from), named.get(to)];
    return caller === undefined || callee === undefined ? [] : [{ from: caller, to: callee }];
  });
  const inspectors = [WELL_KNOWN.prometheus, WELL_KNOWN.controller].flatMap((name) => named.get(name) ?? []);
  const inspections = inspectors.flatMap((from) => [...named.values()].map((to) => ({ from, to })));
  const controller = findService(mesh, WELL_KNOWN.controller);
  const registrar = controller !== undefined && isTrusted(controller) ? nameOf(controller) : undefined;
  const all = [...calls, ...inspections, ...DECLARED_DISCOVERY[discoveryBackend].tlsEdges(registrar)];
  return [...new Map(all.map((edge) => [JSON.stringify([edge.from, edge.to]), edge])).values()];
}

function nameOf({ zone, name }: Service): string {
  return partyName(zone, name);
}

function isTrusted({ revoked }: Service): boolean {
  return revoked === undefined;
}
