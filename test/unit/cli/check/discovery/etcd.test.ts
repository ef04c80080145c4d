import { ETCD } from "../../../../../mesh";
import { add, describeBackendFaults, field, find, remove } from "../faults";

describeBackendFaults("etcd", [
  {
    id: "etcd-address",
    title: "an address outside of the range",
    make: (cluster) => {
      remove(cluster, "Service", "lucid-mesh/etcd");
      cluster.refusal = () =>
        'spec.clusterIPs: Invalid value: ["10.96.64.55"]: the provided IP is not in the valid range';
    },
    says: /not in the valid range/,
  },
  {
    id: "etcd-address",
    title: "an address that another Service has",
    make: (cluster) => {
      remove(cluster, "Service", "lucid-mesh/etcd");
      add(cluster, "v1", "Service", "default/other", { spec: { clusterIP: "10.96.64.55" } });
    },
    says: /10\.96\.64\.55 is that of the Service default\/other/,
  },
  {
    id: "etcd-volumes",
    title: "a claim that is pending",
    make: (cluster) => {
      field(find(cluster, "PersistentVolumeClaim", "lucid-mesh/data-etcd-1"), "status").phase = "Pending";
    },
    says: /data-etcd-1 is Pending/,
  },
  {
    id: "etcd-volumes",
    title: "a claim that is missing",
    make: (cluster) => {
      remove(cluster, "PersistentVolumeClaim", "lucid-mesh/data-etcd-2");
    },
    says: /data-etcd-2 is missing/,
  },
  {
    id: "etcd-servers",
    title: "a server that is not ready",
    make: (cluster) => {
      field(find(cluster, "StatefulSet", "lucid-mesh/etcd"), "status").readyReplicas = 2;
    },
    says: /2 of 3 are/,
  },
  {
    id: "etcd-servers",
    title: "no servers",
    make: (cluster) => {
      remove(cluster, "StatefulSet", "lucid-mesh/etcd");
    },
    says: /there is no StatefulSet etcd/,
  },
  {
    id: "etcd-rights-planned",
    title: "a right more",
    make: (cluster) => {
      const document = field<Record<string, string>>(
        find(cluster, "ConfigMap", "lucid-mesh/etcd-access-document"),
        "data",
      );
      document["access.json"] = (document["access.json"] ?? "").replace('"write"', '"read"');
    },
    says: /etcd-access-document: data\.access\.json, line \d+, is .*read.*, not .*write/,
  },
  {
    id: "etcd-rights-planned",
    title: "no rights",
    make: (cluster) => {
      remove(cluster, "ConfigMap", "lucid-mesh/etcd-access-document");
    },
    says: /ConfigMap lucid-mesh\/etcd-access-document is missing/,
  },
  {
    id: "etcd-rights-kept",
    title: "a keeper that could not bring them about",
    make: (cluster) => {
      cluster.answers.set(`${ETCD.access}/health`, { status: 503, body: "" });
    },
    says: /has not brought them about/,
  },
  {
    id: "etcd-rights-kept",
    title: "a keeper that is not ready",
    make: (cluster) => {
      field<{ status: string }>(find(cluster, "Pod", "lucid-mesh/etcd-access-0"), "status", "conditions", 1).status =
        "False";
    },
    says: /no keeper is ready/,
  },
]);
