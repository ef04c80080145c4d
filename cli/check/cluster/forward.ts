import type { KubeConfig } from "@kubernetes/client-node";
import { get } from "node:http";
import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { joinToPod } from "../../../components/stack/port-forward";
import type { HttpAnswer, PodRef } from "./cluster";

/** A local port that leads to one on a pod's loopback. */
export interface Forward {
  /** On 127.0.0.1. */
  readonly port: number;
  /** What kept the last connection that failed from being made. */
  readonly failed: () => unknown;
  close(): void;
}

/**
 * Opens a local port for connections through the Kubernetes API. NetworkPolicies and sidecars do not see them: it needs the right to forward ports.
 *
 * @param target the pod and its port, asked for each connection: pods come and go
 */
export async function openForward(
  config: KubeConfig,
  target: () => Promise<{ readonly pod: PodRef; readonly port: number }>,
): Promise<Forward> {
  const sockets = new Set<Socket>();
  let failed: unknown;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => sockets.delete(socket));
    target()
      .then(({ pod, port }) => joinToPod(config, pod, port, socket))
      .catch((error: unknown) => {
        failed = error;
        socket.destroy();
      });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    failed: () => failed,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/**
 * What a port on a pod's loopback answers to a GET, on a connection of its own, as by {@link openForward}.
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
  const forward = await openForward(config, () => Promise.resolve({ pod, port }));
  try {
    return await httpGet(forward.port, path, patience);
  } catch (error) {
    const reason = forward.failed() ?? error;
    const what = reason instanceof Error ? reason.message : String(reason);
    throw new Error(`port ${String(port)} of pod ${pod.namespace}/${pod.name} gives no answer (${what})`, {
      cause: error,
    });
  } finally {
    forward.close();
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
