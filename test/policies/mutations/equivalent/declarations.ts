/** About what is written down of the plan: `MeshService` objects, what defines them, and what the controller compares by. */
import type { Argument } from "./argument";

export const DECLARATIONS: readonly Argument[] = [
  {
    survives: /: MeshService [\w<>-]+ spec(\.(version|workload|ports|calls|metrics)\b.*)?$/,
    why: "has people, the controller and Prometheus told something else of a service than the document says: nobody is let in, sent anywhere or given an identity by it, what its sidecar opens of it and whose it is stay",
  },
  {
    survives: /^(drop the object|move to \S+|duplicate in \S+): MeshService /,
    why: "takes a declaration away, or puts it where nobody reads it: the service runs as it did, and nobody is told of it",
  },
  {
    survives: /^drop the object: CustomResourceDefinition /,
    why: "leaves the API server without a word for what the MeshServices of the plan are: it refuses them",
  },
  {
    survives: /^swap of content with declared-<zone>-trusted: ConfigMap declared-<zone>-trusted$/,
    why: "gives a zone what it has: by what zones are trusted is told alike in each",
  },
];
