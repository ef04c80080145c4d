import type { KubeConfig } from "@kubernetes/client-node";
import { CoreV1Api } from "@kubernetes/client-node";
import * as pulumi from "@pulumi/pulumi";
import { createServer } from "node:net";
import type { Server, Socket } from "node:net";
import { CONSUL, LABELS } from "../../../mesh/wire";
import { joinToPod } from "../../stack/port-forward";

const NAMESPACE = "lucid-mesh";

/** Says to the program that its caller offers Consul's API already, and at which address. */
export const OFFERED = "LUCID_CONSUL_OFFERED";

/**
 * Offers Consul's API on a local port for as long as the program runs, forwarded through the Kubernetes API to a ready server's loopback. So the
 * program works from a laptop, and Consul needs no door to the outside. Pulumi's Node.js host has the program wait until what is to be deleted is; where the caller
 * has an older host, it offers the port itself, and says so in {@link OFFERED}.
 *
 * @param port local port, on 127.0.0.1.
 * @returns the address, `127.0.0.1:<port>`.
 */
export function forwardConsul(kubeConfig: KubeConfig, port: number): string {
  const address = `127.0.0.1:${port}`;
  if (process.env[OFFERED] === address) return address;
  const server = consulForward(
    () => kubeConfig,
    (problem) => void pulumi.log.debug(`Consul port-forward: ${problem}`),
  );
  server.on("error", (error: NodeJS.ErrnoException) => {
    const cause =
      error.code === "EADDRINUSE"
        ? `port ${port} on 127.0.0.1 is taken; end what listens there, or choose another by \`pulumi config set consulForwardPort\``
        : error.message;
    void pulumi.log.error(`Consul's API can't be offered to the Consul provider: ${cause}`);
  });
  server.listen(port, "127.0.0.1");
  // The engine's requests keep the program alive for as long as it needs this.
  server.unref();
  return address;
}

/** A server that joins whoever connects to the API of a ready Consul server. Where none can be reached, the connection is closed, and `tell` is told why. */
export function consulForward(kubeConfig: () => KubeConfig, tell: (problem: string) => void): Server {
  return createServer((socket) => {
    socket.on("error", () => socket.destroy());
    join(kubeConfig, socket).catch((error: unknown) => {
      tell(error instanceof Error ? error.message : String(error));
      socket.destroy();
    });
  });
}

async function join(kubeConfig: () => KubeConfig, socket: Socket): Promise<void> {
  const config = kubeConfig();
  await joinToPod(config, { namespace: NAMESPACE, name: await readyServer(config) }, CONSUL.httpPort, socket);
}

async function readyServer(kubeConfig: KubeConfig): Promise<string> {
  const core = kubeConfig.makeApiClient(CoreV1Api);
  const { items } = await core.listNamespacedPod({
    namespace: NAMESPACE,
    labelSelector: `${LABELS.name}=${CONSUL.service}`,
  });
  const ready = items.find((pod) =>
    pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True"),
  );
  const name = ready?.metadata?.name;
  if (name === undefined) throw new Error(`no ready Consul server among ${items.length} in ${NAMESPACE}`);
  return name;
}
