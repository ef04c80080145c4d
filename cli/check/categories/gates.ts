/** What the start gates of pods have seen: the one live probe of enforcement, which runs anyway. */
import { LABELS } from "../../../mesh";
import { counted, failure, judged, ok, skipped } from "../check";
import type { Check, Result } from "../check";
import { KINDS } from "../cluster/live";
import type { Live } from "../cluster/live";
import { isOver, titleOf } from "../cluster/objects";
import type { ContainerStatus, Pod } from "../cluster/objects";
import type { CheckContext } from "../context";

const GATE = "start-gate";

interface GatedPod {
  readonly pod: Pod;
  /** The gate has seen the pod's policy enforced. */
  readonly passed: boolean;
  readonly gate: ContainerStatus | undefined;
}

export const gateChecks: readonly Check[] = [
  {
    id: "start-gates",
    category: "network",
    phase: "during",
    title: "no pod waits at its start gate",
    tells:
      "Reads which pods' start gates have not ended well, and what they wrote: the canary was let through, or their node's resolver did not answer. A pod that has just begun is among them.",
    remedy:
      "the gate's words say which it is: see to the network plugin of that node, to the pod's NetworkPolicy, or to the node resolver there",
    more: "start-gate.md#what-it-does",
    needs: ["namespaces-there"],
    run: async (context) => {
      const waiting = (await gatedPods(context.live)).filter(({ passed, gate }) => !passed && hasBegun(gate));
      const found = await Promise.all(
        waiting.map(async ({ pod }) => `${titleOf(pod)}: ${await reasonOf(context, pod)}`),
      );
      return judged(found, "pods wait until they see their own policy in force");
    },
  },
  {
    id: "policies-enforced",
    category: "network",
    phase: "after",
    title: "on every node with pods of the mesh NetworkPolicies were seen in force",
    tells:
      "Reads that a start gate ended well there: it could not reach the canary while it reached the port beside it. So it was when that pod started; whether it is so now, `live-canary` tells. A node without such a pod is not told of.",
    remedy:
      "see to the network plugin on the nodes that are named; delete a pod there, and its successor's gate tells anew",
    more: "start-gate.md#what-it-does",
    needs: ["namespaces-there"],
    run: async ({ live }) => enforcedByNode(await gatedPods(live)),
  },
];

/** Pods with a start gate that have a node and are not over. */
export async function gatedPods(live: Live): Promise<readonly GatedPod[]> {
  const pods = (await live.inZones(KINDS.pods)).filter(
    (pod) => pod.metadata.labels?.[LABELS.meshed] === "true" && !isOver(pod) && pod.spec.nodeName !== undefined,
  );
  return pods.map((pod) => {
    const gate = pod.status?.initContainerStatuses?.find(({ name }) => name === GATE);
    return { pod, gate, passed: gate?.state?.terminated?.exitCode === 0 };
  });
}

function enforcedByNode(pods: readonly GatedPod[]): Result {
  if (pods.length === 0) return skipped("no pod of the mesh runs");
  const nodes = [...new Set(pods.map(({ pod }) => pod.spec.nodeName ?? ""))].sort();
  const seen = new Set(pods.filter(({ passed }) => passed).map(({ pod }) => pod.spec.nodeName));
  const unseen = nodes.filter((node) => !seen.has(node));
  return unseen.length === 0 ? ok(counted(nodes.length, "node")) : failure("no gate was passed on these nodes", unseen);
}

function hasBegun(gate: ContainerStatus | undefined): boolean {
  return (
    gate?.state?.running !== undefined ||
    gate?.lastState?.terminated !== undefined ||
    gate?.state?.terminated !== undefined
  );
}

/** The last words of the gate's last run, or of this one. */
async function reasonOf({ cluster }: CheckContext, pod: Pod): Promise<string> {
  const { name, namespace = "" } = pod.metadata;
  for (const previous of [false, true]) {
    try {
      const said = lastReason(await cluster.log({ namespace, name }, GATE, previous));
      if (said !== undefined) return said;
    } catch {
      // A container that has no log yet says nothing.
    }
  }
  return "its gate has said nothing yet";
}

function lastReason(log: string): string | undefined {
  for (const line of log.trim().split("\n").reverse()) {
    try {
      const { reason } = JSON.parse(line) as { readonly reason?: unknown };
      if (typeof reason === "string") return reason;
    } catch {
      // Not a line of the gate's own.
    }
  }
  return undefined;
}
