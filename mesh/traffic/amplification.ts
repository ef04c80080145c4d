/**
 * What retries make of one request: each layer that tries again multiplies the load of all layers below it, so three layers of three tries each are 27
 * requests at the last. Computed for the worst path to every service, over the whole graph of calls, in linear time.
 */
import { components, type Arc } from "./components";

/** A call in the graph, with the requests that one request of it may become at the callee: its tries. */
export interface Hop extends Arc {
  /** 1 where nothing that may have reached the callee is tried again. */
  readonly factor: number;
}

/** A service with the path on which most requests arrive. */
export interface WorstCase<H extends Hop> {
  readonly service: string;
  /** Product of the factors along the path; 1 where none multiplies. */
  readonly total: number;
  /** From the first call that multiplies to the service; empty where the total is 1. */
  readonly path: readonly H[];
}

/** What the calls of a mesh amount to. */
export interface Amplification<H extends Hop> {
  /** One for each service, callers before callees. */
  readonly services: readonly WorstCase<H>[];
  /** Circles of calls with one that multiplies: each round multiplies again, and there is no bound. The first hop is that one. */
  readonly circles: readonly (readonly H[])[];
}

/**
 * The worst case at every service. A circle of calls none of which multiplies counts as one place. Where there is one that does, its totals mean nothing,
 * as there is no worst case.
 */
export function amplification<H extends Hop>(hops: readonly H[]): Amplification<H> {
  const from = strongestFrom(hops);
  const names = new Set(hops.flatMap((hop) => [hop.from, hop.to]));
  const arcsFrom = (node: string): readonly H[] => from.get(node) ?? [];
  const best = new Map<string, { readonly total: number; readonly hop: H }>();
  const services: WorstCase<H>[] = [];
  const circles: H[][] = [];
  const totalOf = (node: string) => best.get(node)?.total ?? 1;
  const pathTo = (node: string): H[] => {
    const path: H[] = [];
    for (let at = best.get(node); at !== undefined; at = best.get(at.hop.from)) path.unshift(at.hop);
    return path;
  };
  for (const members of components(names, arcsFrom)) {
    const inside = new Set(members);
    const inner = (node: string) => arcsFrom(node).filter((hop) => inside.has(hop.to));
    const multiplying = members.flatMap(inner).find((hop) => hop.factor > 1);
    if (multiplying !== undefined) circles.push([multiplying, ...way(multiplying.to, multiplying.from, inner)]);
    // Whatever enters a circle at its worst entry can reach every member of it.
    const entry = members.reduce((worst, node) => (totalOf(node) > totalOf(worst) ? node : worst));
    const total = totalOf(entry);
    if (total > 1) {
      for (const [node, hop] of reached(entry, inner)) best.set(node, { total, hop });
    }
    for (const node of members) {
      services.push({ service: node, total, path: pathTo(node) });
      for (const hop of arcsFrom(node)) {
        const product = total * hop.factor;
        if (!inside.has(hop.to) && product > totalOf(hop.to)) best.set(hop.to, { total: product, hop });
      }
    }
  }
  return { services, circles };
}

/** `a → b ×3 → c ×2`. */
export function showPath(path: readonly Hop[]): string {
  const steps = path.map(({ to, factor }) => `${to} ×${String(factor)}`);
  return [path[0]?.from ?? "", ...steps].join(" → ");
}

/** The hops by caller; of several between the same two services, the one that multiplies most. */
function strongestFrom<H extends Hop>(hops: readonly H[]): ReadonlyMap<string, readonly H[]> {
  const strongest = new Map<string, Map<string, H>>();
  for (const hop of hops) {
    const own = strongest.get(hop.from) ?? new Map<string, H>();
    strongest.set(hop.from, own);
    if ((own.get(hop.to)?.factor ?? 0) < hop.factor) own.set(hop.to, hop);
  }
  return new Map([...strongest].map(([from, own]) => [from, [...own.values()]]));
}

/** Everything reached from a service, with the hop by which it is first. */
function reached<H extends Hop>(start: string, hopsFrom: (node: string) => readonly H[]): Map<string, H> {
  const first = new Map<string, H>();
  const queue = [start];
  for (const node of queue) {
    for (const hop of hopsFrom(node)) {
      if (hop.to === start || first.has(hop.to)) continue;
      first.set(hop.to, hop);
      queue.push(hop.to);
    }
  }
  return first;
}

/** A shortest way from one service to another, by hops. */
function way<H extends Hop>(start: string, end: string, hopsFrom: (node: string) => readonly H[]): H[] {
  const first = reached(start, hopsFrom);
  const path: H[] = [];
  for (let hop = first.get(end); hop !== undefined; hop = hop.from === start ? undefined : first.get(hop.from)) {
    path.unshift(hop);
  }
  return path;
}
