/** Steady new connections from inside a network namespace: who answered, and every one that was lost. */
import * as net from "node:net";
import type { ShareLoad } from "./share-load";

/** How long an application may take to say what it says first: longer than it takes to know that its host is silent. */
const PATIENCE_MS = 60_000;

/** Opens connections to an application that speaks first (`serveTcp`), `perSecond` for `forMs`, each for its first line. */
export async function shareConnections(args: {
  host: string;
  port: number;
  perSecond: number;
  forMs: number;
}): Promise<ShareLoad> {
  const answered: Record<string, number> = {};
  const failed: Record<string, number> = {};
  const going: Promise<void>[] = [];
  const until = Date.now() + args.forMs;
  for (let next = Date.now(); Date.now() < until; next += 1000 / args.perSecond) {
    going.push(
      firstLine(args).then(
        (line) => {
          answered[line] = (answered[line] ?? 0) + 1;
        },
        (error: unknown) => {
          failed[String(error)] = (failed[String(error)] ?? 0) + 1;
        },
      ),
    );
    const early = next - Date.now();
    if (early > 0) await new Promise((resolve) => setTimeout(resolve, early));
  }
  await Promise.all(going);
  return { requests: going.length, answered, failed };
}

function firstLine({ host, port }: { host: string; port: number }): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host, port, timeout: PATIENCE_MS });
    let text = "";
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes("\n")) {
        resolve(text.split("\n")[0] ?? "");
        socket.destroy();
      }
    });
    socket.on("timeout", () => socket.destroy(new Error("silence")));
    socket.on("error", reject);
    socket.on("close", () => {
      reject(new Error("closed without a word"));
    });
  });
}
