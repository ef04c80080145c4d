import type { Evidence } from "../evidence";
import type { Layer, LayerViolation } from "../layer";
import { compareWithBound } from "./comparison/bound";
import type { UpperBound } from "./comparison/bound";
import { compare } from "./comparison/compare";
import type { Declaration, Violation, ViolationKind } from "./comparison/declaration";
import type { Reachability } from "./matrix";

const MENDS: Readonly<Record<ViolationKind, string>> = {
  undeclared: "take it out of the files named, or declare the call",
  "half-open": "close this half too, or declare the call",
  refused: "render the files again, or take the declaration out",
};

/** The layers of sidecars (trust, authorization, ways, names): exactly what is declared. */
export function sidecarLayers(declaration: Declaration): Layer {
  return layer((reachability) => compare(reachability, declaration));
}

/** The layers of sidecars: nothing beyond a bound. */
export function boundedSidecarLayers(bound: UpperBound): Layer {
  return layer((reachability) => compareWithBound(reachability, bound));
}

function layer(violationsOf: (reachability: Reachability) => readonly Violation[]): Layer {
  return {
    judge: ({ meshReading, calls }: Evidence) => [
      ...meshReading.findings.map(({ object, path, problem, mend }): LayerViolation => ({
        layer: "sidecars",
        problem,
        mend,
        places: [{ object, path }],
      })),
      ...(calls === undefined ? [] : violationsOf(calls)).map(({ layer, kind, text, places }): LayerViolation => ({
        layer,
        problem: text,
        mend: MENDS[kind],
        places,
      })),
    ],
  };
}
