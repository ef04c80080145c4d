import { LABELS } from "../../../mesh";
import type { Service } from "../../../mesh";
import type { HttpAnswer, PodRef } from "../cluster/cluster";
import { KINDS } from "../cluster/live";
import type { Live } from "../cluster/live";
import { isReady } from "../cluster/objects";
import type { CheckContext } from "../context";

/**
 * What a service's application answers to a GET, asked as an operator would: by a port-forward to a ready pod's loopback.
 *
 * @returns undefined where no pod is ready
 */
export async function askService(
  { live }: CheckContext,
  service: Pick<Service, "name" | "namespace">,
  port: number,
  path: string,
): Promise<HttpAnswer | undefined> {
  const pod = await readyPod(live, service);
  return pod && live.ask(pod, port, path);
}

/** The same of each of its ready pods. */
export async function askEach(
  { live }: CheckContext,
  service: Pick<Service, "name" | "namespace">,
  port: number,
  path: string,
): Promise<readonly HttpAnswer[]> {
  return Promise.all((await readyPods(live, service)).map((pod) => live.ask(pod, port, path)));
}

/** A ready pod of a service, or of what stands behind no sidecar, by its name label. */
export async function readyPod(live: Live, service: Pick<Service, "name" | "namespace">): Promise<PodRef | undefined> {
  return (await readyPods(live, service))[0];
}

async function readyPods(
  live: Live,
  { name, namespace }: Pick<Service, "name" | "namespace">,
): Promise<readonly PodRef[]> {
  const pods = await live.list(KINDS.pods, namespace);
  return pods
    .filter((one) => one.metadata.labels?.[LABELS.name] === name && isReady(one))
    .map(({ metadata }) => ({ namespace, name: metadata.name }));
}
