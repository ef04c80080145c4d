import { add, describeFaults, field, find } from "./faults";
import { NODE } from "./recorded";

describeFaults("discovery", [
  {
    id: "discovery-services",
    title: "a resolver that is asked across nodes",
    make: (cluster) => {
      field(find(cluster, "Service", "lucid-mesh/node-resolver"), "spec").internalTrafficPolicy = "Cluster";
    },
    says: /node-resolver: spec\.internalTrafficPolicy is "Cluster", not "Local"/,
  },
  {
    id: "node-resolvers",
    title: "a node without one",
    make: (cluster) => {
      add(cluster, "v1", "Node", "node2", { spec: {} });
      add(cluster, "v1", "Node", "node3", { spec: { unschedulable: true } });
    },
    says: /nodes without one\nnode2 has none$/,
  },
  {
    id: "node-resolvers",
    title: "one that is not ready",
    make: (cluster) => {
      field<{ status: string }>(find(cluster, "Pod", "lucid-mesh/node-resolver-0"), "status", "conditions", 1).status =
        "False";
    },
    says: new RegExp(`${NODE} has none\nlucid-mesh/node-resolver-0 is not ready`),
  },
]);
