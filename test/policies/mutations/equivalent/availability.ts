/** About how many pods there are, where, and when. */
import type { Argument } from "./argument";

export const AVAILABILITY: readonly Argument[] = [
  {
    survives: / PodDisruptionBudget [\w<>-]+ (spec|$)/,
    why: "says how many pods may be away at once",
  },
  {
    survives:
      / (Deployment|StatefulSet) [\w<>-]+ spec(\.replicas)?$|^drop of (replicas|podManagementPolicy|strategy|updateStrategy): /,
    why: "says how many pods there are, or how they are replaced",
  },
  {
    survives: / (Deployment|DaemonSet|StatefulSet) [\w<>-]+ spec\.(strategy|updateStrategy|podManagementPolicy)\b/,
    why: "says how pods are replaced",
  },
  {
    survives:
      /\bspec\.template\.spec(\.(topologySpreadConstraints|terminationGracePeriodSeconds|priorityClassName|enableServiceLinks)\b.*)?$/,
    why: "says on which nodes pods are, how long they have to end, who goes first, or which addresses of Services stand in variables",
  },
  {
    survives:
      /\.(readinessProbe|livenessProbe|startupProbe|lifecycle)\b|^drop of (readinessProbe|livenessProbe|startupProbe|lifecycle): /,
    why: "says when kubelet takes a container for started, ready or dead, and how long it waits for it: what it may ask is the sidecar's to answer",
  },
  {
    survives: /^(drop the object|move to \S+|widen to \w+): Deployment issuer-[\w<>-]+( metadata\.namespace)?$/,
    why: "leaves a zone without its issuer, or puts it where the account is not that has the right to sign: certificates are not made anew, which alerts tell of while they are good (LucidCertificateOverdue)",
  },
  {
    survives: /^swap of cpu with memory: .*\.resources\.requests$/,
    why: "asks for other amounts, within the limits",
  },
];
