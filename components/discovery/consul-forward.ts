import type { KubeConfig } from "@kubernetes/client-node";
import { CoreV1Api } from "@kubernetes/client-node";
import * as pulumi from "@pulumi/pulumi";
import { createServer } from "node:net";
import { CONSUL, LABELS } from "../../mesh/wire";
import { joinToPod } from "../stack/port-forward";

const NAMESPACE = "lucid-mesh";

/**
 * Offers Consul's API on a local port for as long as the program runs, forwarded through the Kubernetes API to a ready server's loopback. So the
 * program works from a laptop, and Consul needs no door to the outside.
 *
 * @param port local port, on 127.0.0.1.
 * @returns the address, `127.0.0.1:<port>`.
 */
export function forwardConsul(kubeConfig: KubeConfig, port: number): string {
  const server = createServer((socket) => {
    // A socket that fails is reported to the provider by its being closed; the reason goes to the log.
    socket.on("error", () => socket.destroy());
    readyServer(kubeConfig)
      .then((name) => joinToPod(kubeConfig, { namespace: NAMESPACE, name }, CONSUL.httpPort, socket))
      .catch((error: unknown) => {
        void pulumi.log.debug(`Consul port-forward: ${error instanceof Error ? error.message : String(error)}`);
        socket.destroy();
      });
  });
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
  return `127.0.0.1:${port}`;
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
