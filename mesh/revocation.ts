/** Services that nobody is to believe any more, and what becomes of them. */
import type { Edge, Mesh, Service, Workload } from "./model";
import { compare } from "./order";
import { WELL_KNOWN } from "./wire";

/** Whether a revoked service is at one end of an edge. */
export function isClosed({ from, to }: Pick<Edge, "from" | "to">, services: ReadonlyMap<string, Service>): boolean {
  return [from, to].some((name) => services.get(name)?.revoked !== undefined);
}

/** The same workload with nothing running: its objects stay, so that the revocation can be seen there and taken back. */
export function withoutPods(workload: Workload): Workload {
  switch (workload.kind) {
    case "versions":
      return { ...workload, replicas: 0, versions: workload.versions.map((version) => ({ ...version, replicas: 0 })) };
    // It has no number of pods that could be 0: the job itself is not made.
    case "job":
      return workload;
    default:
      return { ...workload, replicas: 0 };
  }
}

/**
 * What to tell of the services here that are revoked: one line each, with the reason and every declared call that this closes, those from and to other datacenters included; of the
 * gateway those, by which none crosses any more.
 */
export function revocationNotices(mesh: Mesh): string[] {
  const crossing = mesh.datacenters?.closed ?? [];
  return mesh.services.flatMap((service) => {
    const { name, revoked } = service;
    if (revoked === undefined) return [];
    const ends = [...mesh.closed, ...crossing].filter(({ from, to }) => from === name || to === name);
    const passed = name === WELL_KNOWN.gateway ? crossing : [];
    const closed = [
      ["closes: ", ends],
      ["closes between datacenters: ", passed],
    ] as const;
    const told = closed.filter(([, edges]) => edges.length > 0).map(([title, edges]) => title + callsOf(edges));
    const closes = told.length === 0 ? "closes no declared call" : told.join("; ");
    const asks =
      mesh.authenticator?.service === name ? mesh.services.filter(isAsking).map((asking) => asking.name) : [];
    const unanswered =
      asks.length === 0 ? "" : `; nobody answers for callers, so all are refused where it is asked: ${asks.join(", ")}`;
    return [`${name} is revoked: ${revoked}; ${closes}${unanswered}`];
  });
}

function callsOf(edges: readonly Edge[]): string {
  const calls = edges.map(({ from, to }) => `${from} -> ${to}`);
  return [...new Set(calls)].sort(compare).join(", ");
}

function isAsking({ ports, revoked }: Service): boolean {
  return revoked === undefined && ports.some(({ asksAuthenticator }) => asksAuthenticator === true);
}
