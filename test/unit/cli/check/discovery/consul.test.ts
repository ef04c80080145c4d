import { describeBackendFaults, field, find, remove } from "../faults";

const json = (body: unknown) => ({ status: 200, body: JSON.stringify(body) });

describeBackendFaults("consul", [
  {
    id: "consul-address",
    title: "an address outside of the range",
    make: (cluster) => {
      remove(cluster, "Service", "lucid-mesh/consul");
      cluster.refusal = () =>
        'spec.clusterIPs: Invalid value: ["10.96.64.54"]: the provided IP is not in the valid range';
    },
    says: /not in the valid range/,
  },
  {
    id: "consul-address",
    title: "a refusal for another reason",
    make: (cluster) => {
      remove(cluster, "Service", "lucid-mesh/consul");
      cluster.refusal = () => "exceeded quota";
    },
    status: "skipped",
    says: /another reason: exceeded quota/,
  },
  {
    id: "consul-volumes",
    title: "a claim that is pending",
    make: (cluster) => {
      field(find(cluster, "PersistentVolumeClaim", "lucid-mesh/data-consul-1"), "status").phase = "Pending";
    },
    says: /data-consul-1 is Pending/,
  },
  {
    id: "consul-volumes",
    title: "a claim that is missing",
    make: (cluster) => {
      remove(cluster, "PersistentVolumeClaim", "lucid-mesh/data-consul-2");
    },
    says: /data-consul-2 is missing/,
  },
  {
    id: "consul-volumes",
    title: "a claim of snapshots that is missing",
    make: (cluster) => {
      remove(cluster, "PersistentVolumeClaim", "lucid-mesh/snapshots-consul-0");
    },
    says: /snapshots-consul-0 is missing/,
  },
  {
    id: "consul-snapshots",
    title: "no snapshot on any server",
    make: (cluster) => {
      cluster.answers.set("consul/metrics", { status: 200, body: "lucid_snapshots_newest_age_seconds +Inf\n" });
    },
    says: /no server has a snapshot yet/,
  },
  {
    id: "consul-snapshots",
    title: "a snapshot of three hours ago",
    make: (cluster) => {
      cluster.answers.set("consul/metrics", { status: 200, body: "lucid_snapshots_newest_age_seconds 10800.5\n" });
    },
    says: /the newest is 180 min old/,
  },
  {
    id: "consul-servers",
    title: "a server that is not ready",
    make: (cluster) => {
      field(find(cluster, "StatefulSet", "lucid-mesh/consul"), "status").readyReplicas = 2;
    },
    says: /2 of 3 are/,
  },
  {
    id: "consul-servers",
    title: "no servers",
    make: (cluster) => {
      remove(cluster, "StatefulSet", "lucid-mesh/consul");
    },
    says: /there is no StatefulSet consul/,
  },
  {
    id: "consul-leader",
    title: "servers without a leader",
    make: (cluster) => {
      cluster.answers.set("consul/v1/status/leader", json(""));
    },
    says: /consul-0 knows no leader/,
  },
  {
    id: "consul-leader",
    title: "a peer too few",
    make: (cluster) => {
      cluster.answers.set("consul/v1/status/peers", json(["a:8300", "b:8300"]));
    },
    status: "warning",
    says: /2 of 3 servers are peers/,
  },
  {
    id: "consul-leader",
    title: "a peer too many",
    make: (cluster) => {
      cluster.answers.set("consul/v1/status/peers", json(["a:8300", "b:8300", "c:8300", "d:8300"]));
    },
    status: "warning",
    says: /4 servers are peers, of 3/,
  },
  {
    id: "consul-leader",
    title: "servers of which none can be asked",
    make: (cluster) => {
      for (const ordinal of [0, 1, 2]) remove(cluster, "Pod", `lucid-mesh/consul-${String(ordinal)}`);
    },
    status: "skipped",
    says: /no Consul server is ready/,
  },
]);
