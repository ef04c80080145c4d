/** Many requests at once, or a steady stream of them, counted by their outcome. */
import * as http from "node:http";

/** How often each status came; `0` is a request that got no answer. */
export type Outcomes = Record<string, number>;

interface Target {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly method?: string;
  readonly headers?: Record<string, string>;
}

/** So many requests, `concurrency` of them at a time. */
export async function requestMany(
  args: Target & { count: number; concurrency: number },
): Promise<{ outcomes: Outcomes; durationsMs: number[] }> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: args.concurrency });
  const outcomes: Outcomes = {};
  const durationsMs: number[] = [];
  let left = args.count;
  const worker = async (): Promise<void> => {
    while (left-- > 0) {
      const started = Date.now();
      count(outcomes, await status(args, agent));
      durationsMs.push(Date.now() - started);
    }
  };
  await Promise.all(Array.from({ length: args.concurrency }, worker));
  agent.destroy();
  return { outcomes, durationsMs };
}

/** So many requests a second, whatever becomes of them, on kept-alive connections and on fresh ones in turn. */
export async function steadyLoad(args: Target & { perSecond: number; forMs: number }): Promise<Outcomes> {
  const kept = new http.Agent({ keepAlive: true });
  const outcomes: Outcomes = {};
  const pending: Promise<void>[] = [];
  const started = Date.now();
  for (let sent = 0; Date.now() - started < args.forMs;) {
    const due = Math.floor(((Date.now() - started) * args.perSecond) / 1000);
    for (; sent < due; sent++) {
      pending.push(
        status(args, sent % 2 === 0 ? kept : false).then((code) => {
          count(outcomes, code);
        }),
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await Promise.all(pending);
  kept.destroy();
  return outcomes;
}

function count(outcomes: Outcomes, code: number): void {
  outcomes[code] = (outcomes[code] ?? 0) + 1;
}

function status({ host, port, path, method, headers }: Target, agent: http.Agent | false): Promise<number> {
  return new Promise((resolve) => {
    const outgoing = http.request({ host, port, path, method, headers, agent, timeout: 20_000 }, (response) => {
      response.resume();
      response.on("end", () => {
        resolve(response.statusCode ?? 0);
      });
      response.on("error", () => {
        resolve(0);
      });
    });
    outgoing.on("timeout", () => outgoing.destroy());
    outgoing.on("error", () => {
      resolve(0);
    });
    outgoing.end();
  });
}
