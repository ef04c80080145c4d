/** A client that counts truly: a steady stream of requests, on kept-alive and on fresh connections, none of them tried again. */
import * as http from "node:http";
import { TIMEOUT_MS } from "./answer";

/** What a load asks, and how often. */
export interface LoadPlan {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  /** Requests a second on kept-alive connections. */
  readonly keptAlive: number;
  /** Requests a second that each look the name up and connect anew. */
  readonly fresh: number;
  /** Time that a request may take before it counts as failed. Default: {@link TIMEOUT_MS}. */
  readonly timeoutMs?: number;
}

/** A request that was not answered by 200. */
export interface Failure {
  /** Epoch milliseconds at which it ended. */
  readonly at: number;
  readonly connection: "kept alive" | "fresh";
  readonly reason: string;
}

/** What came of a load. */
export interface LoadReport {
  readonly sent: number;
  readonly answered: number;
  readonly failures: readonly Failure[];
  /** Connections that the kept-alive part used. */
  readonly keptAliveConnections: number;
  readonly requestsPerSecond: number;
  /** Milliseconds that the slowest answered request took. */
  readonly slowestMs: number;
  /** Epoch milliseconds of the last answer by 200. */
  readonly lastAnswerAt: number;
}

const TICK_MS = 5;
const KEPT_ALIVE_CONNECTIONS = 20;

class Load {
  private sent = 0;
  private answered = 0;
  private slowestMs = 0;
  private lastAnswerAt = 0;
  private readonly failures: Failure[] = [];
  private readonly sockets = new Set<unknown>();
  private readonly pending = new Set<Promise<void>>();
  private readonly started = Date.now();
  // First in, first out: every connection is in use all the time, and so meets every change.
  private readonly agent = new http.Agent({
    keepAlive: true,
    maxSockets: KEPT_ALIVE_CONNECTIONS,
    scheduling: "fifo",
  });
  private readonly timer: NodeJS.Timeout;
  private due = { "kept alive": 0, fresh: 0 };

  constructor(private readonly plan: LoadPlan) {
    let last = Date.now();
    this.timer = setInterval(() => {
      // By the clock and not by the tick: what a busy machine delays is sent all the same, so that the rate holds.
      const now = Date.now();
      this.send("kept alive", (plan.keptAlive * (now - last)) / 1000);
      this.send("fresh", (plan.fresh * (now - last)) / 1000);
      last = now;
    }, TICK_MS);
  }

  async stop(): Promise<LoadReport> {
    clearInterval(this.timer);
    const seconds = (Date.now() - this.started) / 1000;
    await Promise.all(this.pending);
    this.agent.destroy();
    return {
      sent: this.sent,
      answered: this.answered,
      failures: this.failures,
      keptAliveConnections: this.sockets.size,
      requestsPerSecond: Math.round(this.sent / seconds),
      slowestMs: this.slowestMs,
      lastAnswerAt: this.lastAnswerAt,
    };
  }

  private send(connection: Failure["connection"], more: number): void {
    this.due[connection] += more;
    for (; this.due[connection] >= 1; this.due[connection]--) {
      const request = this.request(connection).finally(() => this.pending.delete(request));
      this.pending.add(request);
    }
  }

  private async request(connection: Failure["connection"]): Promise<void> {
    const { host, port, path, timeoutMs = TIMEOUT_MS } = this.plan;
    const started = Date.now();
    this.sent++;
    const reason = await new Promise<string>((resolve) => {
      const agent = connection === "fresh" ? false : this.agent;
      const outgoing = http.get({ host, port, path, agent }, (response) => {
        response.resume();
        response.on("end", () => {
          resolve(response.complete ? String(response.statusCode) : "cut off in the answer");
        });
        response.on("error", (error: Error) => {
          resolve(error.message);
        });
      });
      const timer = setTimeout(() => outgoing.destroy(new Error(`no answer in ${String(timeoutMs)} ms`)), timeoutMs);
      if (connection === "kept alive") {
        outgoing.on("socket", (socket) => this.sockets.add(socket));
      }
      outgoing.on("error", (error: Error) => {
        resolve(error.message);
      });
      outgoing.on("close", () => {
        clearTimeout(timer);
      });
    });
    const at = Date.now();
    if (reason === "200") {
      this.answered++;
      this.lastAnswerAt = at;
      this.slowestMs = Math.max(this.slowestMs, at - started);
    } else {
      this.failures.push({ at, connection, reason });
    }
  }
}

const loads = new Map<string, Load>();

/** Starts a load that goes on until {@link stopLoad}. */
export function startLoad(args: LoadPlan & { readonly name: string }): Promise<void> {
  loads.set(args.name, new Load(args));
  return Promise.resolve();
}

/** Ends a load, awaits what is under way and reports. */
export async function stopLoad(args: { readonly name: string }): Promise<LoadReport> {
  const load = loads.get(args.name);
  loads.delete(args.name);
  if (load === undefined) {
    throw new Error(`no load '${args.name}' was started here`);
  }
  return load.stop();
}
