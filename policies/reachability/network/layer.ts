import type { Layer, LayerViolation } from "../layer";
import { compare } from "./comparison/compare";
import type { Declaration, ViolationKind } from "./comparison/declaration";

const MENDS: Readonly<Record<ViolationKind, string>> = {
  undeclared: "close it in the policies named, or declare the call",
  "half-open": "close this side too, or declare the call",
  refused: "open it on that side, or take the declaration out",
  unrestricted: "close the namespace by a NetworkPolicy that selects every pod, in both directions",
};

/** The layer of NetworkPolicies. */
export function networkLayer(declaration: Declaration): Layer {
  return {
    judge: ({ clusterReading, connections }) => {
      const violations = connections === undefined ? [] : compare(connections, declaration);
      return [
        ...clusterReading.findings.map(({ object, path, problem, mend }): LayerViolation => ({
          layer: "network",
          problem,
          mend,
          places: [{ object, path }],
        })),
        ...violations.map(({ kind, text, places }): LayerViolation => ({
          layer: "network",
          problem: text,
          mend: MENDS[kind],
          places,
        })),
      ];
    },
  };
}
