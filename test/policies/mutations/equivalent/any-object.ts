/** About fields that objects of every kind have. */
import type { Argument } from "./argument";

export const ANY_OBJECT: readonly Argument[] = [
  {
    survives: /^add of a key: [A-Z]\w+ [\w<>-]+ (?!.*: )/,
    why: "adds a field that the API doesn't have: it is refused or pruned, and no one who reads the object knows it",
  },
  {
    survives: /^drop of (apiVersion|kind): [A-Z]\w+ [\w<>-]+ $/,
    why: "leaves out what the resource's type says as well",
  },
  {
    survives:
      / (Deployment|StatefulSet|DaemonSet|ConfigMap|Secret|Service|ServiceAccount|Role|RoleBinding|ClusterRole|ClusterRoleBinding|NetworkPolicy|PodDisruptionBudget|MeshService|CustomResourceDefinition|ValidatingAdmissionPolicy|ValidatingAdmissionPolicyBinding) [\w<>-]+ metadata\.labels/,
    why: "is of labels of an object that nothing selects by label: selectors are for pods and namespaces",
  },
  {
    survives: /^(drop|widen to an empty one|swap of \S+ with \S+).*: [A-Z]\w+ [\w<>-]+ metadata(\.labels)?$/,
    why: "takes labels or annotations from an object that nothing selects by them, or gives it no valid name, which the API server refuses",
  },
  {
    survives: / Service [\w<>-]+ metadata\.annotations/,
    why: "is about how long Pulumi waits for the Service",
  },
  {
    survives:
      / Namespace <zone>-namespace metadata\.labels(\["(app\.kubernetes\.io\/part-of|pod-security\.kubernetes\.io\/(audit|warn))"\])?$|^(drop of|widen to nothing|widen to another).* Namespace <zone>-namespace metadata\.labels\["pod-security\.kubernetes\.io\/enforce-version"\]$/,
    why: "is of a namespace's label by which nobody goes: what it enforces, and its zone, are others",
  },
  {
    survives: /^swap of content with <zone>-namespace: /,
    why: "gives a namespace what another has: all of it is metadata, which each keeps",
  },
];
