import { add, describeFaults, field, find, remove } from "./faults";
import { NODE } from "./recorded";

const seconds = (count: number) => new Date(Math.floor(Date.now() / 1000) * 1000 + count * 1000);

describeFaults("kubernetes", [
  {
    id: "api-ready",
    title: "an API server without etcd",
    make: (cluster) => {
      cluster.texts.set("/readyz?verbose", { status: 500, body: "[+]ping ok\n[-]etcd failed: reason withheld\n" });
    },
    says: /500\n\[-\]etcd failed/,
  },
  {
    id: "kubernetes-version",
    title: "a Kubernetes too old",
    make: (cluster) => {
      cluster.paths.set("/version", { gitVersion: "v1.29.9" });
    },
    says: /it is v1\.29\.9/,
  },
  {
    id: "kubernetes-version",
    title: "a version that can't be read",
    make: (cluster) => {
      cluster.paths.set("/version", {});
    },
    status: "skipped",
    says: /unknown, can't be read/,
  },
  {
    id: "apis-served",
    title: "an API that is switched off",
    make: (cluster) => {
      cluster.unserved.add("/apis/admissionregistration.k8s.io/v1");
    },
    says: /admissionregistration\.k8s\.io\/v1 ValidatingAdmissionPolicy$/m,
  },
  {
    id: "nodes-ready",
    title: "a node that is not ready",
    make: (cluster) => {
      field<{ status: string }>(find(cluster, "Node", NODE), "status", "conditions", 0).status = "Unknown";
    },
    says: /node1 is not ready/,
  },
  {
    id: "nodes-ready",
    title: "a node whose disk is full",
    make: (cluster) => {
      field<object[]>(find(cluster, "Node", NODE), "status", "conditions").push({
        type: "DiskPressure",
        status: "True",
      });
    },
    says: /node1 reports DiskPressure/,
  },
  {
    id: "nodes-ready",
    title: "a cluster without a node",
    make: (cluster) => {
      remove(cluster, "Node", NODE);
    },
    says: /there is no node/,
  },
  ...["v1.29.0", "v1.35.0", "strange"].map((version) => ({
    id: "node-versions",
    title: `a kubelet of ${version}`,
    make: (cluster: Parameters<typeof find>[0]) => {
      field(find(cluster, "Node", NODE), "status", "nodeInfo").kubeletVersion = version;
    },
    says: new RegExp(`node1 runs kubelet ${version}`),
  })),
  {
    id: "node-versions",
    title: "a kubelet four versions behind",
    make: (cluster) => {
      cluster.paths.set("/version", { gitVersion: "v1.38.0" });
    },
    says: /node1 runs kubelet v1\.34\.2/,
  },
  {
    id: "node-platform",
    title: "nodes of another platform",
    make: (cluster) => {
      field(find(cluster, "Node", NODE), "status", "nodeInfo").architecture = "arm64";
    },
    says: /node1 is linux\/arm64/,
  },
  {
    id: "node-platform",
    title: "one node of another platform",
    make: (cluster) => {
      add(cluster, "v1", "Node", "node2", {
        status: { nodeInfo: { operatingSystem: "windows", architecture: "amd64" } },
      });
    },
    status: "warning",
    says: /node2 is windows\/amd64/,
  },
  ...(
    [
      [-30, "29 s ahead", "failure"],
      [30, "30 s behind", "failure"],
      [7, "7 s behind", "warning"],
    ] as const
  ).map(([off, says, status]) => ({
    id: "clock-here",
    title: `a clock that is ${says}`,
    make: (cluster: Parameters<typeof find>[0]) => {
      const now = seconds(0);
      cluster.reading = { server: seconds(off), asked: now, answered: now };
    },
    status,
    says: new RegExp(says),
  })),
  ...(
    [
      [60, "60 s ahead", "failure"],
      [-60, "60 s behind", "failure"],
      [-6, "6 s behind", "warning"],
    ] as const
  ).map(([off, says, status]) => ({
    id: "node-clocks",
    title: `a node that is ${says}`,
    make: (cluster: Parameters<typeof find>[0]) => {
      const lease = find(cluster, "Lease", `kube-node-lease/${NODE}`);
      const taken = Date.parse(field<string>(lease, "metadata", "managedFields", 0, "time"));
      field(lease, "spec").renewTime = new Date(taken + off * 1000).toISOString();
    },
    status,
    says: new RegExp(`node1 is ${says}`),
  })),
  {
    id: "node-clocks",
    title: "leases that don't tell",
    make: (cluster) => {
      delete find(cluster, "Lease", `kube-node-lease/${NODE}`).metadata.managedFields;
    },
    status: "skipped",
    says: /no node's lease/,
  },
  {
    id: "cluster-dns",
    title: "a DNS under another label",
    make: (cluster) => {
      find(cluster, "Pod", "kube-system/coredns-0").metadata.labels = { "k8s-app": "coredns" };
    },
    says: /no pod there bears the label/,
  },
  {
    id: "cluster-dns",
    title: "a DNS that isn't ready",
    make: (cluster) => {
      field<{ status: string }>(find(cluster, "Pod", "kube-system/coredns-0"), "status", "conditions", 0).status =
        "False";
    },
    says: /none of 1 pods is ready/,
  },
  {
    id: "storage-class",
    title: "no default StorageClass",
    make: (cluster) => {
      find(cluster, "StorageClass", "local").metadata.annotations = {};
    },
    says: /none is the default/,
  },
  {
    id: "storage-class",
    title: "a default one that makes no volumes",
    make: (cluster) => {
      find(cluster, "StorageClass", "local").provisioner = "kubernetes.io/no-provisioner";
    },
    says: /makes no volumes/,
  },
  {
    id: "storage-class",
    title: "two default ones",
    make: (cluster) => {
      const other = add(cluster, "storage.k8s.io/v1", "StorageClass", "other", { provisioner: "example.org/other" });
      other.metadata.annotations = { "storageclass.kubernetes.io/is-default-class": "true" };
    },
    status: "warning",
    says: /other \(example\.org\/other\)/,
  },
  {
    id: "pod-security-admission",
    title: "an API server without Pod Security",
    make: (cluster) => {
      cluster.refusal = () => undefined;
    },
    says: /would be let in/,
  },
  {
    id: "pod-security-admission",
    title: "a refusal for another reason",
    make: (cluster) => {
      cluster.refusal = () => "a policy of the cluster refuses all namespaces";
    },
    status: "skipped",
    says: /another reason: a policy of the cluster/,
  },
  {
    id: "token-keys-published",
    title: "an issuer without keys",
    make: (cluster) => {
      cluster.paths.set("/openid/v1/jwks", { keys: [] });
    },
    says: /no issuer, or no key/,
  },
  {
    id: "api-server-address",
    title: "an API server elsewhere",
    make: (cluster) => {
      field(find(cluster, "EndpointSlice", "default/kubernetes"), "endpoints", 0).addresses = ["10.77.0.11"];
    },
    says: /10\.77\.0\.11:6443/,
  },
  {
    id: "api-server-address",
    title: "another port",
    make: (cluster) => {
      field(find(cluster, "EndpointSlice", "default/kubernetes"), "ports", 0).port = 443;
    },
    says: /10\.77\.0\.10:443/,
  },
  {
    id: "namespaces-there",
    title: "a mesh that is not installed",
    make: (cluster) => {
      remove(cluster, "Namespace", "lucid-wallet");
    },
    says: /lucid-wallet is missing/,
  },
  {
    id: "namespaces-there",
    title: "a zone that is being deleted",
    make: (cluster) => {
      field(find(cluster, "Namespace", "lucid-wallet"), "status").phase = "Terminating";
    },
    says: /lucid-wallet is being deleted/,
  },
]);
