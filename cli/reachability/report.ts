/** What the command found, before it is written down. */
import { blastRadii } from "./blast";
import type { Matrix, OutsidePair, Pair } from "./matrix";
import { without } from "./matrix";

export interface Report {
  /** What was judged: `mesh.yaml`, or where the objects came from. */
  readonly source: string;
  /** Undefined where objects can't be judged; then {@link violations} say why. */
  readonly matrix: Matrix | undefined;
  /** One line each. None: exactly what the document declares is open. */
  readonly violations: readonly string[];
  /** Against what another document renders. */
  readonly changes?: Changes;
}

export interface Changes {
  readonly against: string;
  readonly opens: Pick<Matrix, "pairs" | "outside">;
  readonly closes: Pick<Matrix, "pairs" | "outside">;
}

/** What differs from another matrix. */
export function changesFrom(against: string, before: Matrix, after: Matrix): Changes {
  return { against, opens: without(after, before), closes: without(before, after) };
}

/** The report as plain data. */
export function reportData({ source, matrix, violations, changes }: Report) {
  return {
    source,
    proven: violations.length === 0,
    violations,
    ...(matrix === undefined
      ? {}
      : {
          parties: matrix.parties,
          pairs: matrix.pairs.map(pairData),
          outside: matrix.outside.map(outsideData),
          blastRadius: blastRadii(matrix).map(({ party, reaches, onwards, reachedBy, outside }) => ({
            party,
            reaches: reaches.map(({ to }) => to),
            onwards,
            reachedBy: reachedBy.map(({ from }) => from),
            outside: outside.map(outsideData),
          })),
        }),
    ...(changes === undefined
      ? {}
      : {
          changes: { against: changes.against, opens: changeData(changes.opens), closes: changeData(changes.closes) },
        }),
  };
}

function changeData({ pairs, outside }: Pick<Matrix, "pairs" | "outside">) {
  return { pairs: pairs.map(pairData), outside: outside.map(outsideData) };
}

function pairData({ from, to, ports }: Pair) {
  return { from, to, ports: ports.toString() };
}

function outsideData({ party, direction, whom, ports }: OutsidePair) {
  return { party, direction, whom, ports: ports.toString() };
}
