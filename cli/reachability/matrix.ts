/** Who reaches whom, party by party. */
import { PortSet } from "../../policies/reachability/network";
import type { Direction, Reachability, Workload } from "../../policies/reachability/network";

/** What one party may open to another, on both sides. */
export interface Pair {
  readonly from: string;
  readonly to: string;
  readonly ports: PortSet;
}

/** What a party may open to the outside, or the outside to it. */
export interface OutsidePair {
  readonly party: string;
  readonly direction: Direction;
  /** Addresses, or pods of a namespace that isn't the mesh's. */
  readonly whom: string;
  readonly ports: PortSet;
}

export interface Matrix {
  /** Sorted by zone, and in it by name. */
  readonly parties: readonly string[];
  readonly pairs: readonly Pair[];
  readonly outside: readonly OutsidePair[];
}

/** The matrix of a cluster. Workloads of one party add up: what one of a service's versions reaches, the service reaches. */
export function matrixOf(reachability: Reachability, partyOf: (workload: Workload) => string): Matrix {
  const pairs = new Map<string, Pair>();
  for (const { from: caller, to: callee, ports } of reachability.connections()) {
    if (ports.isEmpty) continue;
    const [from, to] = [partyOf(caller), partyOf(callee)];
    const key = keyOf(from, to);
    pairs.set(key, { from, to, ports: ports.union(pairs.get(key)?.ports ?? PortSet.none) });
  }
  const outside = new Map<string, OutsidePair>();
  for (const workload of reachability.workloads) {
    for (const direction of ["egress", "ingress"] as const) {
      for (const { whom, ports } of outsidersOf(reachability, workload, direction)) {
        const party = partyOf(workload);
        const key = keyOf(party, direction, whom);
        outside.set(key, { party, direction, whom, ports: ports.union(outside.get(key)?.ports ?? PortSet.none) });
      }
    }
  }
  const parties = [...new Set(reachability.workloads.map(partyOf))].sort();
  return { parties, pairs: sorted([...pairs.values()]), outside: [...outside.values()] };
}

/** What a matrix has that another has not. */
export function without(matrix: Matrix, other: Matrix): Pick<Matrix, "pairs" | "outside"> {
  const pairs = new Map(other.pairs.map(({ from, to, ports }) => [keyOf(from, to), ports]));
  const outside = new Map(
    other.outside.map(({ party, direction, whom, ports }) => [keyOf(party, direction, whom), ports]),
  );
  return {
    pairs: matrix.pairs
      .map((pair) => ({ ...pair, ports: pair.ports.minus(pairs.get(keyOf(pair.from, pair.to)) ?? PortSet.none) }))
      .filter(({ ports }) => !ports.isEmpty),
    outside: matrix.outside
      .map((pair) => {
        const had = outside.get(keyOf(pair.party, pair.direction, pair.whom)) ?? PortSet.none;
        return { ...pair, ports: pair.ports.minus(had) };
      })
      .filter(({ ports }) => !ports.isEmpty),
  };
}

/** `Chain` of `Chain/lucid-blocks`. */
export function zoneOf(party: string): string {
  return party.split("/")[0] ?? party;
}

function outsidersOf(reachability: Reachability, workload: Workload, direction: Direction) {
  return [
    ...reachability
      .addresses(workload, direction)
      .map(({ addresses, ports }) => ({ whom: addresses.toString(), ports })),
    ...reachability.strangers(workload, direction).map(({ strangers: { namespaces, pods }, ports }) => ({
      whom: `pods (${pods.toString()}) of namespaces (${namespaces.toString()})`,
      ports,
    })),
  ];
}

function sorted(pairs: Pair[]): Pair[] {
  return pairs.sort((a, b) => compare(a.from, b.from) || compare(a.to, b.to));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function keyOf(...parts: readonly string[]): string {
  return JSON.stringify(parts);
}
