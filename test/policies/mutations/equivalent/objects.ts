/** About whole objects. */
import type { Argument } from "./argument";

export const OBJECTS: readonly Argument[] = [
  {
    survives: /^duplicate under its name: /,
    why: "declares an object twice under one name, which Pulumi and the API server refuse",
  },
  {
    survives:
      /^duplicate (under another name|in [\w<>-]+): (ConfigMap|Secret|PodDisruptionBudget|Service|Role|NetworkPolicy) /,
    why: "adds an object by the side of the one that is referred to, which nobody reads, binds or dials, or which restricts the same pods in the same way once more",
  },
  {
    survives: /^duplicate in (default|kube-system): (ServiceAccount|Deployment|StatefulSet|DaemonSet) /,
    why: "adds an object outside of the zones, where the pack judges nothing and nobody of the mesh lets it in: by its namespace it is no party",
  },
  {
    survives:
      /^(drop the object|move to \S+): (PodDisruptionBudget|Service|RoleBinding|ConfigMap <service>-(config|consul-trust)|Secret <service>-tokens|ConfigMap node-resolver-corefile|Secret (consul|node-resolver)-(config|tls)|Secret <service>-sidecar-tls) ?/,
    why: "takes an object from where it is needed: a pod waits for what it mounts, a call finds no address, a right is missing, and nothing is opened",
  },
  {
    survives:
      /^drop the object: (PrivateKey|RandomBytes|RandomUuid|Image|LocallySignedCert|AclToken|AclPolicy|consul) /,
    why: "takes away what other resources of the program are made of: the program can't ask for its outputs, so there is no such plan",
  },
  {
    survives: /^swap of content with .*: (ServiceAccount|PodDisruptionBudget|Service) /,
    why: "gives two objects each the other's content: accounts and budgets are all alike but for their names, and Services lead to pods that NetworkPolicies close",
  },
  {
    survives: /^swap of content with .*: (PrivateKey|NetworkPolicy) /,
    why: "gives two objects each the other's content, and both are what they were, by other names: keys are random numbers of one kind, and policies of a namespace select by themselves whom they are for",
  },
  {
    survives:
      /^(widen|swap for another object's|drop of (name|namespace))\b.*: (PodDisruptionBudget|Service|ServiceAccount|RoleBinding|ConfigMap|Secret|NetworkPolicy|Role|MeshService) [\w<>-]+ metadata(\.(name|namespace))?$/,
    why: "is a move or a rename: see there; a name that is none is refused by the API server",
  },
];
