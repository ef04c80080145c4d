import { pause } from "../backoff.js";
import type { Log } from "../log.js";
import { describe } from "../log.js";
import { within } from "../within.js";
import { alertsOf, type Alerts } from "./alerts.js";
import { Lately, type Known } from "./lately.js";
import { QUERIES, parseAnswer, trafficOf, type Question, type Sample, type Traffic } from "./traffic.js";

/** Milliseconds between two rounds of questions. */
const INTERVAL = 30_000;
/** Milliseconds for one answer. */
const PATIENCE = 10_000;
/** Bytes that one answer may have. */
const MOST_BYTES = 16 * 2 ** 20;
/** Milliseconds after which an answer is too old to be shown as the present. */
const STALE = 3 * INTERVAL;

/** How much is known of what Prometheus is asked; `off`: nobody is asked. */
export type Seen<T> = Omit<Known<T>, "state"> & { readonly state: Known<T>["state"] | "off" };

/** Timing, changed in tests. */
export interface PrometheusOptions {
  readonly interval?: number;
  readonly now?: () => number;
}

/** What Prometheus said last of the calls, and of what is wrong, asked through the controller's own sidecar like any service. */
export class PrometheusView {
  private readonly calls: Lately<Traffic>;
  private readonly rules: Lately<Alerts>;

  /** @param url of Prometheus; undefined: nobody is asked */
  constructor(
    private readonly url: URL | undefined,
    private readonly log: Log,
    private readonly options: PrometheusOptions = {},
  ) {
    const now = options.now ?? Date.now;
    this.calls = new Lately(STALE, now);
    this.rules = new Lately(STALE, now);
  }

  /** How much is known of the calls. */
  get seen(): Seen<Traffic> {
    return this.isAsked(this.calls.known);
  }

  /** How much is known of what fires. Prometheus may tell the one and not the other: they are two declared requests. */
  get alerts(): Seen<Alerts> {
    return this.isAsked(this.rules.known);
  }

  /** Asks again and again until `signal` is aborted. Failures are told once, until an answer comes. */
  async run(signal: AbortSignal): Promise<void> {
    const { url } = this;
    if (url === undefined) {
      return;
    }
    while (!signal.aborted) {
      await this.round(this.calls, "of the calls", () => this.askCalls(url, signal), signal);
      await this.round(this.rules, "what fires", () => this.askRules(url, signal), signal);
      await pause(this.options.interval ?? INTERVAL, signal);
    }
  }

  private isAsked<T>(known: Known<T>): Seen<T> {
    return this.url === undefined ? { ...known, state: "off" } : known;
  }

  private async round<T>(lately: Lately<T>, what: string, ask: () => Promise<T>, signal: AbortSignal): Promise<void> {
    try {
      lately.answered(await ask());
    } catch (error) {
      if (!signal.aborted && lately.failed(error)) {
        this.log.warn("Prometheus can't be asked, will be tried again", { asked: what, error: describe(error) });
      }
    }
  }

  /** One after the other: it is a view of minutes, and no load worth a peak. */
  private async askCalls(url: URL, signal: AbortSignal): Promise<Traffic> {
    const answers: Partial<Record<Question, readonly Sample[]>> = {};
    for (const question of Object.keys(QUERIES) as Question[]) {
      const target = new URL("/api/v1/query", url);
      target.searchParams.set("query", QUERIES[question]);
      answers[question] = parseAnswer(await answerOf(target, signal));
    }
    return trafficOf(answers as Record<Question, readonly Sample[]>);
  }

  private async askRules(url: URL, signal: AbortSignal): Promise<Alerts> {
    const target = new URL("/api/v1/rules", url);
    target.searchParams.set("type", "alert");
    return alertsOf(await answerOf(target, signal));
  }
}

async function answerOf(target: URL, signal: AbortSignal): Promise<unknown> {
  return within(PATIENCE, signal, async (limited) => {
    const response = await fetch(target, {
      signal: limited,
      redirect: "error",
      headers: { accept: "application/json" },
    });
    const text = await bounded(response);
    if (!response.ok) {
      throw new Error(`Prometheus answers ${String(response.status)}`);
    }
    return JSON.parse(text) as unknown;
  });
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
