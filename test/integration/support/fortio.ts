/** fortio as it runs in an application's pod: a burst of calls of its own, and how it answers those of others. */
import { exec } from "./cluster";
import type { PodRef } from "./cluster";
import { podGet } from "./http-get";

/** Where a fortio listens, on its loopback, that was started with {@link SETTABLE}. */
const CONFIG_PORT = 7777;
/** Argument of an application whose answers a test may change while it runs. */
export const SETTABLE = `-config-port=127.0.0.1:${String(CONFIG_PORT)}`;
/** Health path that goes on answering 200 whatever {@link answerWith} says: what a request asks for itself comes first. */
export const HEALTH_PATH = "/health?status=200";

export interface Burst {
  readonly url: string;
  /** Requests in all. */
  readonly count: number;
  /** Requests under way at once, each on a connection of its own. */
  readonly concurrency: number;
  /** Requests a second; 0, the default: as many as there can be. */
  readonly rate?: number;
}

/** How a burst went. */
export interface BurstResult {
  /** Requests by HTTP status; `-1` for those that got no answer. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly seconds: number;
}

interface Report {
  readonly RetCodes: Readonly<Record<string, number>>;
  readonly ActualDuration: number;
}

/** Sends requests from the application in `from`, through its sidecar. It retries nothing. */
export async function burst(from: PodRef, { url, count, concurrency, rate = 0 }: Burst): Promise<BurstResult> {
  const load = ["-qps", String(rate), "-c", String(concurrency), "-n", String(count), "-timeout", "20s"];
  const report = ["-quiet", "-allow-initial-errors", "-json", "-"];
  const { code, stdout, stderr } = await exec(from, "app", ["fortio", "load", ...load, ...report, url]);
  if (code !== 0) throw new Error(`fortio load ended with ${String(code)}: ${stderr}`);
  const { RetCodes, ActualDuration } = JSON.parse(stdout) as Report;
  return { statuses: RetCodes, seconds: ActualDuration / 1e9 };
}

/** Makes one instance answer every request as its echo parameters say, as `status=503`; an empty text makes it well again. */
export async function answerWith(pod: PodRef, parameters: string): Promise<void> {
  const query = new URLSearchParams({ name: "echo-server-default-params", value: parameters });
  await podGet(pod, CONFIG_PORT, `/set?${query.toString()}`);
}
