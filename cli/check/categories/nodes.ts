/** Whether the cluster's nodes can run the mesh's pods. */
import { counted, failure, judged, warning } from "../check";
import type { Check } from "../check";
import { KINDS } from "../cluster/live";
import { isTrue } from "../cluster/objects";
import { OLDEST_MINOR, minorOf, serverVersion } from "../cluster/version";

/** How many minor versions a kubelet may be behind its API server (https://kubernetes.io/releases/version-skew-policy/). */
const KUBELET_SKEW = 3;
/** Pressures of a node under which kubelet takes pods away. */
const PRESSURES = ["MemoryPressure", "DiskPressure", "PIDPressure"];
const OWN_CLUSTER = "configuration.md#a-cluster-of-your-own";

export const nodeChecks: readonly Check[] = [
  {
    id: "nodes-ready",
    category: "kubernetes",
    phase: "before",
    title: "every node is ready and has room",
    tells: "Reads the conditions that kubelets report. Whether all pods find room is told by `pods-scheduled`.",
    remedy: "look at `kubectl describe node` and the kubelet's log; free memory, disk or process ids",
    more: OWN_CLUSTER,
    run: async ({ live }) => {
      const nodes = await live.list(KINDS.nodes);
      if (nodes.length === 0) return failure("there is no node");
      const wrong = nodes.flatMap(({ metadata: { name }, status }) => {
        const conditions = status?.conditions;
        const pressures = PRESSURES.filter((type) => isTrue(conditions, type));
        return isTrue(conditions, "Ready") && pressures.length === 0
          ? []
          : [`${name} ${isTrue(conditions, "Ready") ? `reports ${pressures.join(", ")}` : "is not ready"}`];
      });
      return judged(wrong, "not all nodes can run pods", counted(nodes.length, "node"));
    },
  },
  {
    id: "node-versions",
    category: "kubernetes",
    phase: "before",
    title: `every kubelet is 1.${String(OLDEST_MINOR)} or newer, and within Kubernetes' skew of its API server`,
    tells:
      "Compares the versions that nodes report. An older kubelet would run a sidecar as an ordinary init container, and the pod would never start.",
    remedy: "upgrade or drain the nodes that are named",
    more: OWN_CLUSTER,
    needs: ["kubernetes-version"],
    run: async ({ cluster, live }) => {
      const server = minorOf(await serverVersion(cluster)) ?? OLDEST_MINOR;
      const wrong = (await live.list(KINDS.nodes)).flatMap(({ metadata: { name }, status }) => {
        const text = status?.nodeInfo?.kubeletVersion ?? "unknown";
        const minor = minorOf(text);
        const fits = minor !== undefined && minor >= OLDEST_MINOR && minor <= server && minor >= server - KUBELET_SKEW;
        return fits ? [] : [`${name} runs kubelet ${text}`];
      });
      return judged(wrong, `kubelets don't fit an API server of 1.${String(server)}`);
    },
  },
  {
    id: "node-platform",
    category: "kubernetes",
    phase: "before",
    title: "nodes are linux/amd64",
    tells: "Reads what nodes report. The mesh's own images are built for that platform alone.",
    remedy: "keep the mesh's pods off the other nodes (taints), or add nodes that are linux/amd64",
    more: OWN_CLUSTER,
    run: async ({ live }) => {
      const nodes = await live.list(KINDS.nodes);
      const other = nodes.flatMap(({ metadata, status }) => {
        const { operatingSystem = "unknown", architecture = "unknown" } = status?.nodeInfo ?? {};
        const platform = `${operatingSystem}/${architecture}`;
        return platform === "linux/amd64" ? [] : [`${metadata.name} is ${platform}`];
      });
      if (other.length === nodes.length && nodes.length > 0) return failure("no node can run the mesh's images", other);
      return judged(other, "pods of the mesh would fail on some nodes", undefined, warning);
    },
  },
];
