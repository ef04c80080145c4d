import { pause } from "../backoff.js";
import type { Log } from "../log.js";
import { describe } from "../log.js";
import { QUERIES, parseAnswer, trafficOf, type Question, type Sample, type Traffic } from "./traffic.js";

/** Milliseconds between two rounds of questions. */
const INTERVAL = 30_000;
/** Milliseconds for one answer. */
const PATIENCE = 10_000;
/** Bytes that one answer may have. */
const MOST_BYTES = 16 * 2 ** 20;
/** Milliseconds after which an answer is too old to be shown as the present. */
const STALE = 3 * INTERVAL;

/** Timing, changed in tests. */
export interface PrometheusOptions {
  readonly interval?: number;
  readonly now?: () => number;
}

/** What Prometheus said last of the calls, asked through the controller's own sidecar like any service. */
export class PrometheusView {
  private last: { readonly traffic: Traffic; readonly time: number } | undefined;
  private trouble: unknown;
  private readonly now: () => number;

  /** @param url of Prometheus; undefined: nobody is asked */
  constructor(
    private readonly url: URL | undefined,
    private readonly log: Log,
    private readonly options: PrometheusOptions = {},
  ) {
    this.now = options.now ?? Date.now;
  }

  /** How much is known; `traffic` where it is of the present. */
  get seen(): {
    readonly state: "off" | "never" | "fresh" | "stale";
    readonly time: number | undefined;
    readonly traffic: Traffic | undefined;
    readonly error: unknown;
  } {
    const { last, trouble: error } = this;
    if (this.url === undefined || last === undefined) {
      return { state: this.url === undefined ? "off" : "never", time: undefined, traffic: undefined, error };
    }
    const { time, traffic } = last;
    return this.now() - time > STALE
      ? { state: "stale", time, traffic: undefined, error }
      : { state: "fresh", time, traffic, error };
  }

  /** Asks again and again until `signal` is aborted. Failures are told once, until an answer comes. */
  async run(signal: AbortSignal): Promise<void> {
    const { url } = this;
    if (url === undefined) {
      return;
    }
    while (!signal.aborted) {
      await this.round(url, signal);
      await pause(this.options.interval ?? INTERVAL, signal);
    }
  }

  private async round(url: URL, signal: AbortSignal): Promise<void> {
    try {
      const traffic = await this.ask(url, signal);
      this.last = { traffic, time: this.now() };
      this.trouble = undefined;
    } catch (error) {
      if (signal.aborted) {
        return;
      }
      if (this.trouble === undefined) {
        this.log.warn("Prometheus can't be asked, will be tried again", { error: describe(error) });
      }
      this.trouble = error;
    }
  }

  /** One after the other: it is a view of minutes, and no load worth a peak. */
  private async ask(url: URL, signal: AbortSignal): Promise<Traffic> {
    const answers: Partial<Record<Question, readonly Sample[]>> = {};
    for (const question of Object.keys(QUERIES) as Question[]) {
      answers[question] = await this.query(url, QUERIES[question], signal);
    }
    return trafficOf(answers as Record<Question, readonly Sample[]>);
  }

  private async query(url: URL, query: string, signal: AbortSignal): Promise<readonly Sample[]> {
    const target = new URL("/api/v1/query", url);
    target.searchParams.set("query", query);
    const response = await fetch(target, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE)]),
      redirect: "error",
      headers: { accept: "application/json" },
    });
    const text = await bounded(response);
    if (!response.ok) {
      throw new Error(`Prometheus answers ${String(response.status)}`);
    }
    return parseAnswer(JSON.parse(text));
  }
}

async function bounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > MOST_BYTES) {
      throw new Error(`Prometheus answers with more than ${String(MOST_BYTES)} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
