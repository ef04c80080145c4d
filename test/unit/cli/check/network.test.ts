import { add, describeFaults, field, find, remove } from "./faults";
import type { RecordedCluster } from "./recorded-cluster";

const ADMIN_UI = "lucid-ops/admin-ui-0";

/** A DaemonSet of some network plugin. */
function plugin(cluster: RecordedCluster, name: string, { args = [] as string[], ready = 2 } = {}): void {
  add(cluster, "apps/v1", "DaemonSet", `kube-system/${name}`, {
    spec: { template: { spec: { containers: [{ name, image: `example.org/${name}:1.0.0`, args }] } } },
    status: { desiredNumberScheduled: 2, numberReady: ready },
  });
}

/** Start gates that have seen nothing yet. */
function atTheGate(cluster: RecordedCluster): void {
  for (const pod of cluster.meshed) {
    const [, gate] = field<Record<string, unknown>[]>(pod, "status", "initContainerStatuses");
    Object.assign(gate ?? {}, { state: { running: {} }, lastState: { terminated: { exitCode: 1 } } });
  }
}

const opened = { podSelector: {}, policyTypes: ["Ingress"], ingress: [{}] };

describeFaults("network", [
  {
    id: "network-enforcer",
    title: "no known program",
    make: atTheGate,
    status: "warning",
    says: /no program is known here/,
  },
  {
    id: "network-enforcer",
    title: "a plugin that enforces nothing",
    make: (cluster) => {
      atTheGate(cluster);
      plugin(cluster, "kube-flannel");
    },
    says: /enforces nothing\nkube-system\/kube-flannel/,
  },
  {
    id: "network-enforcer",
    title: "a firewall that is switched off",
    make: (cluster) => {
      atTheGate(cluster);
      plugin(cluster, "kube-router", { args: ["--run-firewall=false"] });
    },
    says: /switched off\nkube-system\/kube-router/,
  },
  {
    id: "network-enforcer",
    title: "an enforcer that is not on all nodes",
    make: (cluster) => {
      plugin(cluster, "calico-node", { ready: 1 });
    },
    says: /kube-system\/calico-node: 1 of 2/,
  },
  {
    id: "start-gates",
    title: "pods at their gates, and what the gates say",
    make: (cluster) => {
      atTheGate(cluster);
      cluster.logs = ({ name }, previous) =>
        previous ? `{"level":"error","reason":"the canary port is still reachable from ${name}"}\n` : "";
    },
    says: /lucid-ops\/admin-ui-0: the canary port is still reachable from admin-ui-0/,
  },
  {
    id: "policies-enforced",
    title: "a node on which no gate was passed",
    make: (cluster) => {
      field(find(cluster, "Pod", ADMIN_UI), "spec").nodeName = "node2";
      const [, gate] = field<Record<string, unknown>[]>(
        find(cluster, "Pod", ADMIN_UI),
        "status",
        "initContainerStatuses",
      );
      Object.assign(gate ?? {}, { state: { running: {} } });
    },
    says: /on these nodes\nnode2$/,
  },
  {
    id: "resolver-address",
    title: "an address that another Service has",
    make: (cluster) => {
      remove(cluster, "Service", "lucid-mesh/node-resolver");
      add(cluster, "v1", "Service", "default/other", { spec: { clusterIP: "10.96.64.53" } });
    },
    says: /10\.96\.64\.53 is that of the Service default\/other/,
  },
  {
    id: "resolver-address",
    title: "an address outside of the range",
    make: (cluster) => {
      remove(cluster, "Service", "lucid-mesh/node-resolver");
      cluster.refusal = () =>
        'spec.clusterIPs: Invalid value: ["10.96.64.53"]: the provided IP is not in the valid range';
    },
    says: /not in the valid range/,
  },
  {
    id: "default-deny",
    title: "a zone without it",
    make: (cluster) => {
      remove(cluster, "NetworkPolicy", "lucid-wallet/default-deny");
    },
    says: /NetworkPolicy lucid-wallet\/default-deny is missing/,
  },
  {
    id: "default-deny",
    title: "one that opens",
    make: (cluster) => {
      field(find(cluster, "NetworkPolicy", "lucid-wallet/default-deny"), "spec").ingress = [{ ports: [{ port: 80 }] }];
    },
    says: /default-deny: spec\.ingress\[0\] is .*, which is not declared/,
  },
  {
    id: "network-policies",
    title: "a peer more",
    make: (cluster) => {
      field<object[]>(find(cluster, "NetworkPolicy", "lucid-wallet/payout-router"), "spec", "ingress", 0, "from").push({
        namespaceSelector: {},
      });
    },
    says: /payout-router: spec\.ingress\[0\]\.from has \d items, not \d/,
  },
  {
    id: "network-policies-unknown",
    title: "a policy that nobody declared",
    make: (cluster) => {
      add(cluster, "networking.k8s.io/v1", "NetworkPolicy", "lucid-wallet/open", { spec: opened });
    },
    says: /NetworkPolicy lucid-wallet\/open/,
  },
  {
    id: "reachability",
    title: "a policy that opens",
    make: (cluster) => {
      add(cluster, "networking.k8s.io/v1", "NetworkPolicy", "lucid-wallet/open", { spec: opened });
    },
    says: /network: .*NetworkPolicy lucid-wallet\/open/,
  },
  {
    id: "reachability",
    title: "a sidecar's file that lets another in",
    make: (cluster) => {
      const data = field<Record<string, string>>(
        find(cluster, "ConfigMap", "lucid-wallet/payout-router-envoy"),
        "data",
      );
      data["listeners.yaml"] = (data["listeners.yaml"] ?? "").replace(
        /(lucid-ops\/sa\/|lucid-ops:)admin-ui/g,
        "$1jaeger",
      );
    },
    says: /authorization: Wallet\/payout-router lets Ops\/jaeger/,
  },
  {
    id: "other-network-policies",
    title: "a policy of the plugin's own kind",
    make: (cluster) => {
      cluster.served.push({
        apiVersion: "cilium.io/v2",
        plural: "ciliumclusterwidenetworkpolicies",
        kind: "CiliumClusterwideNetworkPolicy",
      });
      add(cluster, "cilium.io/v2", "CiliumClusterwideNetworkPolicy", "all");
    },
    status: "warning",
    says: /CiliumClusterwideNetworkPolicy all/,
  },
  ...["NodePort", "LoadBalancer", "ExternalName"].map((type) => ({
    id: "no-ways-in",
    title: `a Service of type ${type}`,
    make: (cluster: RecordedCluster) => {
      add(cluster, "v1", "Service", "lucid-wallet/door", { spec: { type } });
    },
    says: new RegExp(`Service lucid-wallet/door is a ${type}`),
  })),
  {
    id: "no-ways-in",
    title: "an external address",
    make: (cluster) => {
      field(find(cluster, "Service", "lucid-mesh/consul"), "spec").externalIPs = ["192.0.2.1"];
    },
    says: /Service lucid-mesh\/consul has external addresses 192\.0\.2\.1/,
  },
  {
    id: "no-ways-in",
    title: "an Ingress",
    make: (cluster) => {
      add(cluster, "networking.k8s.io/v1", "Ingress", "lucid-wallet/door");
    },
    says: /Ingress lucid-wallet\/door/,
  },
  {
    id: "no-ways-in",
    title: "a Gateway",
    make: (cluster) => {
      cluster.served.push({ apiVersion: "gateway.networking.k8s.io/v1", plural: "gateways", kind: "Gateway" });
      add(cluster, "gateway.networking.k8s.io/v1", "Gateway", "lucid-wallet/door");
      add(cluster, "gateway.networking.k8s.io/v1", "Gateway", "default/other");
    },
    says: /not know\nGateway lucid-wallet\/door$/,
  },
  {
    id: "host-namespaces",
    title: "a pod in its node's network",
    make: (cluster) => {
      field(find(cluster, "Pod", ADMIN_UI), "spec").hostNetwork = true;
    },
    says: /lucid-ops\/admin-ui-0: its node's network/,
  },
  {
    id: "host-namespaces",
    title: "a port of the node",
    make: (cluster) => {
      field(find(cluster, "Pod", ADMIN_UI), "spec", "containers", 0).ports = [{ containerPort: 8080, hostPort: 80 }];
    },
    says: /its node's port 80/,
  },
  {
    id: "pods-unknown",
    title: "a stranger's pod",
    make: (cluster) => {
      add(cluster, "v1", "Pod", "lucid-wallet/stranger", { spec: { containers: [] } });
    },
    says: /lucid-wallet\/stranger bears the name none/,
  },
  {
    id: "pods-unknown",
    title: "a pod that runs as somebody else",
    make: (cluster) => {
      field(find(cluster, "Pod", "lucid-wallet/tron-payment-0"), "spec").serviceAccountName = "payout-router";
    },
    says: /lucid-wallet\/tron-payment-0 runs as payout-router/,
  },
  {
    id: "pods-unknown",
    title: "a pod that nothing owns",
    make: (cluster) => {
      find(cluster, "Pod", ADMIN_UI).metadata.ownerReferences = [];
    },
    says: /lucid-ops\/admin-ui-0 was made by hand/,
  },
]);
