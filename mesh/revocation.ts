/** Services that nobody is to believe any more, and what becomes of them. */
import type { Edge, Mesh, Service, Workload } from "./model";

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

/** What to tell of the services that are revoked: one line each, with the reason and every declared call that this closes. */
export function revocationNotices(mesh: Mesh): string[] {
  return mesh.services.flatMap((service) => {
    const { name, revoked } = service;
    if (revoked === undefined) return [];
    const closed = mesh.closed.filter(({ from, to }) => from === name || to === name);
    const calls = [...new Set(closed.map(({ from, to }) => `${from} -> ${to}`))];
    const closes = calls.length === 0 ? "closes no declared call" : `closes: ${calls.join(", ")}`;
    const asks =
      mesh.authenticator?.service === name ? mesh.services.filter(isAsking).map((asking) => asking.name) : [];
    const unanswered =
      asks.length === 0 ? "" : `; nobody answers for callers, so all are refused where it is asked: ${asks.join(", ")}`;
    return [`${name} is revoked: ${revoked}; ${closes}${unanswered}`];
  });
}

function isAsking({ ports, revoked }: Service): boolean {
  return revoked === undefined && ports.some(({ asksAuthenticator }) => asksAuthenticator === true);
}
