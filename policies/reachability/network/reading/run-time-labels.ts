/**
 * Labels that Kubernetes itself puts on pods when they are made. No template shows them, so a selector that goes by one can't be judged from templates.
 */
export const RUN_TIME_LABELS: ReadonlySet<string> = new Set([
  // ReplicaSets and Deployments
  "pod-template-hash",
  // StatefulSets
  "apps.kubernetes.io/pod-index",
  "statefulset.kubernetes.io/pod-name",
  // StatefulSets and DaemonSets
  "controller-revision-hash",
  // DaemonSets
  "pod-template-generation",
  // Jobs
  "controller-uid",
  "job-name",
  "batch.kubernetes.io/controller-uid",
  "batch.kubernetes.io/job-name",
  "batch.kubernetes.io/job-completion-index",
  // Copied from the node (PodTopologyLabels)
  "topology.kubernetes.io/region",
  "topology.kubernetes.io/zone",
]);
