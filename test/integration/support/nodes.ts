/** The embedded cluster's nodes: where pods are, and what becomes of the mesh when one dies. */
import type { V1Pod } from "@kubernetes/client-node";
import assert from "node:assert/strict";
import { clusterUp } from "../../../dev/cluster";
import { clusterTools } from "../../../dev/cluster/context";
import { LABELS, NODE_RESOLVER } from "../../../mesh";
import type { Service } from "../../../mesh";
import { apps, core, isReady, mergePatch } from "./cluster";
import { eventually } from "./eventually";

/** A ready pod, and where it is. */
export interface PlacedPod {
  readonly namespace: string;
  readonly name: string;
  readonly ip: string;
  readonly node: string;
  /** When it became ready, to the second before; milliseconds since 1970. */
  readonly readySince: number;
}

export async function nodeNames(): Promise<readonly string[]> {
  return (await core.listNode()).items.flatMap(({ metadata }) => metadata?.name ?? []).sort();
}

/** Brings the cluster to so many nodes, unless it has them, and waits until each has its node resolver. */
export async function haveNodes(count: number): Promise<void> {
  if ((await nodeNames()).length < count) await clusterUp({ nodes: count });
  const resolvers = { name: NODE_RESOLVER.service, namespace: "lucid-mesh" };
  await eventually(
    "a resolver on each node",
    async () => {
      const served = new Set((await placedPods(resolvers)).map(({ node }) => node));
      assert.deepEqual([...served].sort(), await nodeNames());
    },
    300,
  );
}

/** Ready pods of a service that are not on their way out. */
export async function placedPods({ name, namespace }: Pick<Service, "name" | "namespace">): Promise<PlacedPod[]> {
  const { items } = await core.listNamespacedPod({ namespace, labelSelector: `${LABELS.name}=${name}` });
  return items.filter(isReady).flatMap((pod) => placed(pod) ?? []);
}

function placed({ metadata, spec, status }: V1Pod): PlacedPod | undefined {
  const since = status?.conditions?.find(({ type }) => type === "Ready")?.lastTransitionTime;
  const [name, namespace, ip, node] = [metadata?.name, metadata?.namespace, status?.podIP, spec?.nodeName];
  if (since === undefined || !name || !namespace || !ip || !node) return undefined;
  return { namespace, name, ip, node, readySince: new Date(since).getTime() };
}

/** Sets how many pods a Deployment has. */
export async function scaleTo(
  { name, namespace }: Pick<Service, "name" | "namespace">,
  replicas: number,
): Promise<void> {
  await apps.patchNamespacedDeploymentScale({ name, namespace, body: { spec: { replicas } } }, mergePatch);
}

/** Gives a service one ready pod on each of some nodes, and no other. */
export async function placeOn(
  service: Pick<Service, "name" | "namespace">,
  nodes: readonly string[],
): Promise<readonly PlacedPod[]> {
  await scaleTo(service, 0);
  await eventually(
    `no pod of ${service.name}`,
    async () => {
      const labelSelector = `${LABELS.name}=${service.name}`;
      assert.equal((await core.listNamespacedPod({ namespace: service.namespace, labelSelector })).items.length, 0);
    },
    120,
  );
  try {
    for (const [index, node] of nodes.entries()) {
      for (const other of await nodeNames()) await cordon(other, other !== node);
      await scaleTo(service, index + 1);
      await eventually(
        `a pod of ${service.name} on ${node}`,
        async () => assert.ok((await placedPods(service)).some((pod) => pod.node === node)),
        180,
      );
    }
  } finally {
    for (const node of await nodeNames()) await cordon(node, false);
  }
  return placedPods(service);
}

async function cordon(name: string, unschedulable: boolean): Promise<void> {
  await core.patchNode({ name, body: { spec: { unschedulable } } }, mergePatch);
}

/** Ends a node with everything on it, at once, as when its machine loses its power. */
export async function killNode(name: string): Promise<void> {
  await clusterTools().machines.destroy(name);
}

/** Brings dead nodes back, and waits until they are ready. */
export async function reviveNodes(): Promise<void> {
  await clusterUp();
}
