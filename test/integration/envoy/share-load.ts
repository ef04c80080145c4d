/** Steady load from inside a network namespace: who answered, and every failure. */
import * as http from "node:http";
import { collect } from "./answer";
import type { Seen } from "./servers";

/** What {@link shareLoad} saw. */
export interface ShareLoad {
  readonly requests: number;
  /** Answers of status 200, by the name of the application that gave them. */
  readonly answered: Readonly<Record<string, number>>;
  /** Everything else: `<status>` or the error's text, each as often as it came. */
  readonly failed: Readonly<Record<string, number>>;
}

/**
 * Asks an echoing application (`serveHttp`) over kept-alive connections, and over a fresh one each time on the first of them, until `requests` were
 * made or `forMs` have passed.
 *
 * @param perSecond of all connections together; as fast as possible where it isn't given
 */
export async function shareLoad(args: {
  host: string;
  port: number;
  path: string;
  headers?: Record<string, string>;
  connections: number;
  requests?: number;
  forMs?: number;
  perSecond?: number;
}): Promise<ShareLoad> {
  const answered: Record<string, number> = {};
  const failed: Record<string, number> = {};
  let requests = 0;
  const until = args.forMs === undefined ? Infinity : Date.now() + args.forMs;
  const pause = args.perSecond === undefined ? 0 : (1000 * args.connections) / args.perSecond;
  const worker = async (fresh: boolean): Promise<void> => {
    const agent = new http.Agent({ keepAlive: !fresh, maxSockets: 1 });
    for (let next = Date.now(); requests < (args.requests ?? Infinity) && Date.now() < until; next += pause) {
      requests += 1;
      const { by, failure } = await ask(args, agent);
      if (by !== undefined) answered[by] = (answered[by] ?? 0) + 1;
      if (failure !== undefined) failed[failure] = (failed[failure] ?? 0) + 1;
      const early = next + pause - Date.now();
      if (early > 0) await new Promise((resolve) => setTimeout(resolve, early));
    }
    agent.destroy();
  };
  await Promise.all(Array.from({ length: args.connections }, (_, index) => worker(index === 0)));
  return { requests, answered, failed };
}

function ask(
  { host, port, path, headers }: { host: string; port: number; path: string; headers?: Record<string, string> },
  agent: http.Agent,
): Promise<{ by?: string; failure?: string }> {
  return new Promise((resolve) => {
    const outgoing = http.get({ host, port, path, headers, agent, timeout: 10_000 }, (response) => {
      collect(response, (body) => {
        resolve(
          response.statusCode === 200
            ? { by: (JSON.parse(body) as Seen).service }
            : { failure: `${String(response.statusCode)} ${body.slice(0, 200)}` },
        );
      });
    });
    outgoing.on("timeout", () => outgoing.destroy(new Error("timeout")));
    outgoing.on("error", (error: Error) => {
      resolve({ failure: error.message });
    });
  });
}
