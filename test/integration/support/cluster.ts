/** The cluster under test, through the Kubernetes API alone: what a test does here, it could do on any cluster. */
import {
  AppsV1Api,
  BatchV1Api,
  CoreV1Api,
  KubeConfig,
  NetworkingV1Api,
  PatchStrategy,
  setHeaderOptions,
} from "@kubernetes/client-node";
import type { V1Pod } from "@kubernetes/client-node";
import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { execInPod } from "../../../components/stack/pod-exec";
import type { ExecResult } from "../../../components/stack/pod-exec";
import { joinToPod } from "../../../components/stack/port-forward";
import { kubeconfigPath } from "../../../dev/paths";
import { LABELS } from "../../../mesh";
import type { Service } from "../../../mesh";
import { eventually } from "./eventually";

/** A cluster's API. */
export interface Cluster {
  readonly kubeConfig: KubeConfig;
  readonly core: CoreV1Api;
  readonly apps: AppsV1Api;
}

/** The cluster that a kubeconfig names. */
export function clusterOf(kubeconfig: string): Cluster {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  return { kubeConfig: config, core: config.makeApiClient(CoreV1Api), apps: config.makeApiClient(AppsV1Api) };
}

/** The one under test. */
export const usual = clusterOf(kubeconfigPath);
export const { kubeConfig, core, apps } = usual;
export const batch = kubeConfig.makeApiClient(BatchV1Api);
export const networking = kubeConfig.makeApiClient(NetworkingV1Api);

/** Sent with patches of lists and maps alike. */
export const mergePatch = setHeaderOptions("Content-Type", PatchStrategy.MergePatch);
export const strategicPatch = setHeaderOptions("Content-Type", PatchStrategy.StrategicMergePatch);

export interface PodRef {
  readonly namespace: string;
  readonly name: string;
  readonly ip: string;
  /** Of which cluster. Default: the one under test. */
  readonly kubeConfig?: KubeConfig;
}

/** Ready pods of a service that are not on their way out. */
export async function podsOf(service: Pick<Service, "name" | "namespace">, at: Cluster = usual): Promise<PodRef[]> {
  const { items } = await at.core.listNamespacedPod({
    namespace: service.namespace,
    labelSelector: `${LABELS.name}=${service.name}`,
  });
  return items.filter(isReady).map((pod) => toRef(pod, at));
}

/** Ready pods of several services and how often their containers were restarted: two equal answers mean that nothing was rolled or died in between. */
export async function podGenerations(
  services: readonly Pick<Service, "name" | "namespace">[],
): Promise<Record<string, number>> {
  const generations: [string, number][] = [];
  for (const { namespace, name } of services) {
    const { items } = await core.listNamespacedPod({ namespace, labelSelector: `${LABELS.name}=${name}` });
    for (const pod of items.filter(isReady)) {
      const { containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {};
      const restarts = [...containerStatuses, ...initContainerStatuses].map(({ restartCount }) => restartCount);
      generations.push([`${namespace}/${pod.metadata?.name ?? ""}`, restarts.reduce((sum, count) => sum + count, 0)]);
    }
  }
  return Object.fromEntries(generations.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The one pod that a test talks to. */
export async function podOf(service: Pick<Service, "name" | "namespace">, at: Cluster = usual): Promise<PodRef> {
  return eventually(`a ready pod of ${service.name}`, async () => {
    const [pod] = await podsOf(service, at);
    if (pod === undefined) throw new Error("none is ready");
    return pod;
  });
}

export function isReady(pod: V1Pod): boolean {
  const ready = pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
  return ready && pod.metadata?.deletionTimestamp === undefined;
}

function toRef(pod: V1Pod, at: Cluster): PodRef {
  const { name, namespace } = pod.metadata ?? {};
  const ip = pod.status?.podIP;
  if (name === undefined || namespace === undefined || ip === undefined)
    throw new Error("a ready pod has a name and an address");
  return { namespace, name, ip, ...(at === usual ? {} : { kubeConfig: at.kubeConfig }) };
}

/** Runs a command in a container of a pod. Its exit code is a result, not an error. */
export function exec(pod: PodRef, container: string, command: readonly string[]): Promise<ExecResult> {
  return execInPod(pod.kubeConfig ?? kubeConfig, pod, { container, command });
}

/** A local port joined to a port on a pod's loopback. */
export interface Forward {
  readonly port: number;
  close(): void;
}

/** Opens a port-forward; NetworkPolicies do not see what goes through it. */
export async function forward(pod: PodRef, port: number): Promise<Forward> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    joinToPod(pod.kubeConfig ?? kubeConfig, pod, port, socket).catch(() => socket.destroy());
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Touches a pod, so that kubelet brings changed ConfigMaps and Secrets to it at once. */
export async function touch(pod: PodRef): Promise<void> {
  await core.patchNamespacedPod(
    {
      name: pod.name,
      namespace: pod.namespace,
      body: { metadata: { annotations: { "lucid.internal/touched": String(Date.now()) } } },
    },
    mergePatch,
  );
}
