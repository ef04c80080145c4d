/** How far it goes if one service is taken over. */
import { SIDECAR_PORTS } from "../../mesh/wire";
import type { Matrix, OutsidePair, Pair } from "./matrix";

export interface BlastRadius {
  readonly party: string;
  /** Whom it reaches itself. */
  readonly reaches: readonly Pair[];
  /** Whom those reach that take its calls, and so on: it gets there if each of them can be taken over from the one before. Those it reaches itself left out. */
  readonly onwards: readonly string[];
  readonly reachedBy: readonly Pair[];
  readonly outside: readonly OutsidePair[];
}

/** The blast radius of each party. A way to itself is none. */
export function blastRadii({ parties, pairs, outside }: Matrix): readonly BlastRadius[] {
  const others = pairs.filter(({ from, to }) => from !== to);
  const callees = new Map<string, string[]>();
  for (const { from, to, ports } of others) {
    if (ports.has("TCP", SIDECAR_PORTS.inbound)) callees.set(from, [...(callees.get(from) ?? []), to]);
  }
  return parties.map((party) => {
    const reaches = others.filter(({ from }) => from === party);
    const direct = new Set(reaches.map(({ to }) => to));
    return {
      party,
      reaches,
      onwards: [...closure(party, callees)].filter((other) => other !== party && !direct.has(other)).sort(),
      reachedBy: others.filter(({ to }) => to === party),
      outside: outside.filter((pair) => pair.party === party),
    };
  });
}

function closure(start: string, callees: ReadonlyMap<string, readonly string[]>): ReadonlySet<string> {
  const reached = new Set([start]);
  // A set goes on with what is added while it is walked.
  for (const party of reached) for (const callee of callees.get(party) ?? []) reached.add(callee);
  return reached;
}
