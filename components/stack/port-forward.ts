import type { KubeConfig } from "@kubernetes/client-node";
import { PortForward } from "@kubernetes/client-node";
import type { Socket } from "node:net";

/**
 * Joins a socket to a port on a pod's loopback, through the Kubernetes API. The far end is closed with the socket.
 *
 * @throws what the Kubernetes client throws where the pod can't be reached.
 */
export async function joinToPod(
  kubeConfig: KubeConfig,
  pod: { readonly namespace: string; readonly name: string },
  port: number,
  socket: Socket,
): Promise<void> {
  const forward = new PortForward(kubeConfig);
  const connection: unknown = await forward.portForward(pod.namespace, pod.name, [port], socket, null, socket);
  socket.on("close", () => {
    if (isClosable(connection)) connection.close();
  });
  if (isCloseEmitter(connection)) connection.on("close", () => socket.end());
}

/** The client hands back a WebSocket, or (where it was told to retry) a function that gives the current one. */
function isClosable(connection: unknown): connection is { close(): void } {
  return typeof connection === "object" && connection !== null && "close" in connection;
}

function isCloseEmitter(connection: unknown): connection is { on(event: "close", listener: () => void): void } {
  return typeof connection === "object" && connection !== null && "on" in connection;
}
