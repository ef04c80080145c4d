import { get } from "node:http";
import { forward } from "./cluster";
import type { PodRef } from "./cluster";

/**
 * The body of what a local port answers, however long that takes; `fetch` would wait five minutes. On a connection of its own.
 *
 * @param path with its query
 * @throws Error with the body, where it isn't answered 200
 */
export async function httpGet(port: number, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get({ host: "127.0.0.1", port, path, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const body = Buffer.concat(chunks).toString();
        if (response.statusCode === 200) resolve(body);
        else reject(new Error(`GET ${path} was answered ${String(response.statusCode)}: ${body}`));
      });
    });
    request.on("error", reject);
  });
}

/** The same of a port on a pod's loopback, through a port-forward. */
export async function podGet(pod: PodRef, port: number, path: string): Promise<string> {
  const forwarded = await forward(pod, port);
  try {
    return await httpGet(forwarded.port, path);
  } finally {
    forwarded.close();
  }
}
