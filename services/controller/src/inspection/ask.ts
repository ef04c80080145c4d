/** Questions to sidecars, through the forward proxies of the controller's own. */
import { Agent, request } from "node:http";
import { SIDECAR_PORTS } from "../../../../mesh/wire.js";
import { within } from "../within.js";
import type { Dated } from "./clocks.js";

/** Sidecars asked at the same time. */
export const CONCURRENCY = 16;
/** Milliseconds for one answer. */
const PATIENCE = 4_000;
/** Bytes that one answer may have. */
const MOST_BYTES = 2 ** 20;

/** An answer, and when it was given. */
export interface Answer extends Dated {
  readonly body: string;
}

/** Asks the sidecar at an address one question. @throws Error where it gives no answer, or another than 200 */
export type Ask = (proxy: URL, address: string, path: string, signal: AbortSignal) => Promise<Answer>;

/** Who asks through forward proxies, over a few connections that stand. */
export function asker(): { readonly ask: Ask; readonly close: () => void } {
  const agent = new Agent({ keepAlive: true, maxSockets: CONCURRENCY, maxFreeSockets: CONCURRENCY });
  const askWithin = (proxy: URL, address: string, path: string, signal: AbortSignal): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const host = `${address.includes(":") ? `[${address}]` : address}:${String(SIDECAR_PORTS.inspection)}`;
      const asked = Date.now();
      const sent = request(
        {
          agent,
          host: proxy.hostname,
          port: proxy.port,
          // To a proxy the whole address is said (RFC 9112, section 3.2.2).
          path: `http://${host}${path}`,
          headers: { host },
          signal,
        },
        (response) => {
          const answered = Date.now();
          const chunks: Buffer[] = [];
          let length = 0;
          response.on("data", (chunk: Buffer) => {
            length += chunk.length;
            if (length > MOST_BYTES)
              response.destroy(new Error(`it answers with more than ${String(MOST_BYTES)} bytes`));
            else chunks.push(chunk);
          });
          response.on("error", reject);
          response.on("end", () => {
            if (response.statusCode !== 200) {
              reject(new Error(`it answers ${String(response.statusCode)}`));
              return;
            }
            const date = Date.parse(response.headers.date ?? "");
            const body = Buffer.concat(chunks).toString("utf8");
            resolve({ body, asked, answered, date: Number.isNaN(date) ? answered : date });
          });
        },
      );
      sent.on("error", reject);
      sent.end();
    });
  return {
    ask: (proxy, address, path, signal) =>
      within(PATIENCE, signal, (limited) => askWithin(proxy, address, path, limited)),
    close: () => {
      agent.destroy();
    },
  };
}
