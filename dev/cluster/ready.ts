import { until } from "./commands";
import type { ClusterContext } from "./context";
import type { Kubectl } from "./kubectl";
import { network, type NodeMachine } from "./layout";

/** A node, and when its kubelet was started; undefined when it ran before. */
export interface StartedNode {
  readonly node: NodeMachine;
  readonly since: number | undefined;
}

interface NodeObject {
  readonly metadata: { readonly name: string };
  readonly status?: {
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly lastHeartbeatTime?: string;
    }[];
  };
}

/**
 * Waits until each node says that it is ready, after its kubelet was started: what the API server remembers of a node that
 * crashed says nothing.
 *
 * @throws Refusal when that takes longer than three minutes
 */
export async function nodesReady(
  context: ClusterContext,
  kubectl: Kubectl,
  started: readonly StartedNode[],
): Promise<void> {
  const hint = `see 'npm run cluster -- status' and the logs in ${context.files.logs}`;
  await until({ what: "the nodes to be ready", seconds: 180, intervalMilliseconds: 300, hint }, async () => {
    const objects = await kubectl.list<NodeObject>("nodes");
    return started.every(({ node, since }) =>
      objects.some((object) => object.metadata.name === node.name && saysReady(object, since)),
    );
  });
}

/** True when a node's own report, not older than `since` (milliseconds), says that it is ready. */
export function saysReady(object: NodeObject, since: number | undefined): boolean {
  return (object.status?.conditions ?? []).some(
    ({ type, status, lastHeartbeatTime }) =>
      type === "Ready" &&
      status === "True" &&
      // The report counts whole seconds.
      (since === undefined || Date.parse(lastHeartbeatTime ?? "") + 1000 > since),
  );
}

/**
 * Waits until the cluster's DNS answers on every node, through its service address.
 *
 * @throws Refusal when that takes longer than three minutes
 */
export async function dnsReady(context: ClusterContext): Promise<void> {
  const hint = "see 'npm run cluster -- status' and the pods in the namespace kube-system";
  const name = `kubernetes.default.svc.${network.clusterDomain}`;
  for (const node of context.nodes) {
    await until({ what: "the cluster's DNS to answer", seconds: 180, intervalMilliseconds: 300, hint }, async () => {
      // It tries for long when nobody answers; asked again it would find the answer sooner.
      const question = `timeout 2 ${context.programs.busybox} nslookup -type=a ${name} ${network.clusterDns}`;
      const answer = await context.machines.shell(node, question);
      return answer.includes(network.apiService);
    });
  }
}
