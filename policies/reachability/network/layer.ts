import type { Layer } from "../layer";
import { compare } from "./comparison/compare";
import type { Declaration, ViolationKind } from "./comparison/declaration";
import { readCluster } from "./reading/cluster";
import type { Surroundings } from "./reading/cluster";
import { Reachability } from "./reachability";

const MENDS: Readonly<Record<ViolationKind, string>> = {
  undeclared: "close it in the policies named, or declare the call",
  "half-open": "close this side too, or declare the call",
  refused: "open it on that side, or take the declaration out",
  unrestricted: "close the namespace by a NetworkPolicy that selects every pod, in both directions",
};

/** The layer of NetworkPolicies. @throws RangeError for a cluster address that is no CIDR */
export function networkLayer(declaration: Declaration, surroundings: Surroundings): Layer {
  return {
    name: "network",
    judge: (objects) => {
      const { cluster, findings } = readCluster(objects, surroundings);
      const violations = cluster === undefined ? [] : compare(new Reachability(cluster), declaration);
      return [
        ...findings.map(({ object, path, problem, mend }) => ({ problem, mend, places: [{ object, path }] })),
        ...violations.map(({ kind, text, places }) => ({ problem: text, mend: MENDS[kind], places })),
      ];
    },
  };
}
