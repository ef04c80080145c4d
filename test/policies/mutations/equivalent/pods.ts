/** About what is in pods. */
import type { Argument } from "./argument";

export const PODS: readonly Argument[] = [
  {
    survives:
      /\bspec\.(selector|template\.metadata)(\.(matchLabels|labels))?(\["app\.kubernetes\.io\/(part-of|version)"\])?$/,
    why: "is of a label of pods by which nobody goes, or of a selector that no longer fits the template, which the API server refuses",
  },
  {
    survives: /\bspec\.template\.metadata(\.annotations.*)?$/,
    why: "is of an annotation that has pods replaced when a file changes that they read once",
  },
  {
    survives:
      /\.(containers|initContainers)\[[\w<>-]+\]\.name$|^(drop of name|widen to an empty one): .*\.(containers|initContainers)\[[\w<>-]+\]$/,
    why: "is a container's name, by which nothing is let in",
  },
  {
    survives: /\.(containers|initContainers)\[[\w<>-]+\]\.ports\b|^drop of ports: .*\.(containers|initContainers)\[/,
    why: "is of ports that a pod only tells of: NetworkPolicies of the mesh name numbers, and what listens is the container's",
  },
  {
    survives:
      /^(duplicate|move|swap|add) of .*\.spec\.(containers|initContainers|volumes)$|\.(volumeMounts|volumes|env)$/,
    why: "changes the order, or makes of a pod what the API server refuses: two of a name, a mount without its volume, a volume without its object",
  },
  {
    survives: /^drop of (coredns|consul): DaemonSet .*\.containers$/,
    why: "leaves names unanswered",
  },
  {
    survives: /\.capabilities\.drop$/,
    why: "drops the same capabilities in more words",
  },
  {
    survives:
      /^drop of (runAsGroup|runAsNonRoot|runAsUser|seccompProfile|type): .*securityContext(\.seccompProfile)?$|^widen to an empty one: .*securityContext\.seccompProfile$/,
    why: "leaves to the pod, or to the containers, what both say",
  },
  {
    survives:
      /\.securityContext\.(runAsGroup|runAsUser|fsGroup|fsGroupChangePolicy)$|^drop of (fsGroup|fsGroupChangePolicy): /,
    why: "makes of a container another user or group that isn't root's or a sidecar's: files that are the sidecar's alone are in no volume of another container",
  },
  {
    survives: /\.spec\.securityContext(\.sysctls\b.*)?$/,
    why: "is of the pod's own setting from which port on processes may listen without privileges, or of what containers say themselves",
  },
  {
    survives: /\.readOnly$|^drop of readOnly: /,
    why: "is about writing to a ConfigMap, a Secret or a token, which kubelet mounts read-only whatever is said",
  },
  {
    survives: /\.volumes\[[\w<>-]+\](\.name)?$|\.volumeMounts\[[\w<>-]+\](\.(name|mountPath))?$/,
    why: "separates a mount from its volume, or puts it to another place: a container finds less than before, or the API server refuses the pod",
  },
  {
    survives: /\.volumes\[[\w<>-]+\]\.(configMap|secret)(\.(name|secretName))?$/,
    why: "mounts another file of the same service, or one that isn't there, for which the pod waits",
  },
  {
    survives: /\.volumes\[sidecar-run\]\.emptyDir(\.medium)?$/,
    why: "has the sidecar's socket on the node's disk and not in its memory",
  },
  {
    survives:
      /^drop of image: .*volumeClaimTemplates|: StatefulSet consul-servers spec(\.(serviceName|volumeClaimTemplates)\b.*)?$/,
    why: "is of the disk that Consul's servers keep their state on, or of the name by which they find each other",
  },
  {
    survives: /^widen to another: .*\.image$/,
    why: "names another exact version of a listed image, which the preview shows",
  },
];
