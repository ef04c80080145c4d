/** What a node does at a NodePort, for an agent: passes new connections to a pod, and leaves those that stand where they are. */
import * as net from "node:net";

const pods = new Map<number, string>();

/** Passes what comes to a port on to the same port of a pod; called again, new connections to another one. */
export async function passOn(args: { port: number; pod: string }): Promise<void> {
  const { port, pod } = args;
  const known = pods.has(port);
  pods.set(port, pod);
  if (known) return;
  const server = net.createServer((incoming) => {
    const outgoing = net.connect(port, pods.get(port));
    for (const [from, to] of [
      [incoming, outgoing],
      [outgoing, incoming],
    ] as const) {
      from.pipe(to);
      from.on("error", () => to.destroy());
      from.on("close", () => to.destroy());
    }
  });
  await new Promise<void>((resolve) => {
    server.listen(port, "0.0.0.0", resolve);
  });
}
