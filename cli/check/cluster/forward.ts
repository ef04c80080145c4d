import type { KubeConfig } from "@kubernetes/client-node";
import { get } from "node:http";
import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { joinToPod } from "../../../components/stack/port-forward";
import type { HttpAnswer, PodRef } from "./cluster";

/**
 * What a port on a pod's loopback answers to a GET, on a connection of its own through the Kubernetes API. NetworkPolicies and sidecars do not see it: it needs the
 * right to forward ports.
 *
 * @param patience milliseconds
 * @throws Error where there is no answer
 */
export async function askPod(
  config: KubeConfig,
  pod: PodRef,
  port: number,
  path: string,
  patience: number,
): Promise<HttpAnswer> {
  const sockets = new Set<Socket>();
  let failed: unknown;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    joinToPod(config, pod, port, socket).catch((error: unknown) => {
      failed = error;
      socket.destroy();
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  try {
    return await httpGet((server.address() as AddressInfo).port, path, patience);
  } catch (error) {
    const reason = failed ?? error;
    const what = reason instanceof Error ? reason.message : String(reason);
    throw new Error(`port ${String(port)} of pod ${pod.namespace}/${pod.name} gives no answer (${what})`, {
      cause: error,
    });
  } finally {
    server.close();
    for (const socket of sockets) socket.destroy();
  }
}

async function httpGet(port: number, path: string, patience: number): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const request = get({ host: "127.0.0.1", port, path, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() });
      });
    });
    request.setTimeout(patience, () => request.destroy(new Error(`nothing within ${String(patience / 1000)} s`)));
    request.on("error", reject);
  });
}
