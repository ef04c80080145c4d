/** Steady load from one application to another, counted by the application itself: neither sidecar has a say in what counts as failed. */
import assert from "node:assert/strict";
import type { Service } from "../../../mesh";
import type { Forward } from "./cluster";
import { forward, podOf } from "./cluster";
import { service } from "./document";
import { eventually } from "./eventually";
import { httpGet } from "./http-get";

/** Where fortio listens in an application's pod. */
const FORTIO_PORT = 8080;
/** Longer than any test; a load is stopped, it does not run out. */
const LONGEST = "3h";

export interface LoadOptions {
  /** Whose application calls; it has to be fortio. */
  readonly from: Service;
  readonly url: string;
  /** Requests a second. */
  readonly rate: number;
  /** A connection of its own for each request; otherwise a few connections, kept alive. */
  readonly fresh?: boolean;
  /** Kept-alive connections, each with a thread of its own. */
  readonly connections?: number;
}

export interface LoadResult {
  readonly requests: number;
  /** Requests by HTTP status; `-1` for those that got no answer. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Requests that were not answered 200. */
  readonly failed: number;
  readonly seconds: number;
  /** Connections that the application opened. */
  readonly sockets: number;
}

/** A load under way. */
export interface Load {
  /** Ends it, and tells how every request ended. */
  stop(): Promise<LoadResult>;
}

interface FortioResult {
  readonly RetCodes: Readonly<Record<string, number>>;
  readonly ActualDuration: number;
  readonly SocketCount: number;
}

/** Starts a load. It retries nothing. */
export async function startLoad(options: LoadOptions): Promise<Load> {
  const forwarded = await forward(await podOf(options.from), FORTIO_PORT);
  const ask = (path: string) => httpGet(forwarded.port, `/fortio/rest/${path}`);
  const label = `load-${Date.now()}-${Math.random().toString(36).slice(2)}`;
  const query = new URLSearchParams({
    url: options.url,
    qps: String(options.rate),
    t: LONGEST,
    c: String(options.connections ?? 4),
    uniform: "on",
    timeout: "10s",
    labels: label,
    ...(options.fresh === true ? { "connection-reuse": "1:1" } : {}),
  });
  const ended = ask(`run?${query.toString()}`).then((text) => JSON.parse(text) as FortioResult);
  // Told to whoever stops the load; until then nobody waits for it.
  ended.catch(() => undefined);
  const id = await eventually(`load on ${options.url}`, () => runOf(ask, label), 20);
  return {
    stop: async () => {
      await ask(`stop?runid=${id}&wait=true`);
      return finish(await ended, forwarded);
    },
  };
}

async function runOf(ask: (path: string) => Promise<string>, label: string): Promise<number> {
  interface Status {
    readonly RunID: number;
    readonly RunnerOptions: { readonly Labels?: string };
  }
  const { Statuses } = JSON.parse(await ask("status")) as { Statuses?: Record<string, Status> };
  const found = Object.values(Statuses ?? {}).find(({ RunnerOptions }) => RunnerOptions.Labels === label);
  if (found === undefined) throw new Error("fortio does not run it");
  return found.RunID;
}

function finish(result: FortioResult, forwarded: Forward): LoadResult {
  forwarded.close();
  const requests = Object.values(result.RetCodes).reduce((sum, count) => sum + count, 0);
  return {
    requests,
    statuses: result.RetCodes,
    failed: requests - (result.RetCodes["200"] ?? 0),
    seconds: result.ActualDuration / 1e9,
    sockets: result.SocketCount,
  };
}

/** Loads that nothing may harm. */
export interface Loads {
  /**
   * Ends them and prints how they went.
   *
   * @throws AssertionError where one request was not answered 200, or a load pressed with less than half its rate: that would show little
   */
  assertUnharmed(): Promise<void>;
}

export async function startLoads(...all: readonly LoadOptions[]): Promise<Loads> {
  const running: { readonly title: string; readonly rate: number; readonly load: Load }[] = [];
  for (const options of all) {
    const title = `${options.from.name} -> ${options.url}, ${options.fresh === true ? "a connection each" : "kept alive"}`;
    running.push({ title, rate: options.rate, load: await startLoad(options) });
  }
  return {
    assertUnharmed: async () => {
      const results = await Promise.all(running.map(async (one) => ({ ...one, result: await one.load.stop() })));
      for (const { title, result } of results) console.log(`      ${describeLoad(title, result)}`);
      for (const { title, rate, result } of results) {
        assert.equal(result.failed, 0, `${title}: failed requests`);
        assert.ok(result.requests > (rate / 2) * result.seconds, `${title}: less than half of ${rate}/s`);
      }
    },
  };
}

/** A line for the output of a test. */
export function describeLoad(title: string, { requests, failed, seconds, sockets, statuses }: LoadResult): string {
  const rate = (requests / seconds).toFixed(0);
  return `${title}: ${requests} requests in ${seconds.toFixed(0)} s (${rate}/s, ${sockets} connections), ${failed} failed ${JSON.stringify(statuses)}`;
}

/** Requests a second of each usual load. */
const USUAL_RATE = 200;
const USUAL_URL = "http://lucid-blocks.lucid.internal/";

/**
 * Does something under three loads of as many requests a second each, from two planes to a third, on kept connections and on new ones.
 *
 * @throws AssertionError where a request failed
 */
export async function underLoad(work: () => Promise<void>, rate = USUAL_RATE): Promise<void> {
  const usual = { url: USUAL_URL, rate };
  const loads = await startLoads(
    { ...usual, from: service("admin-ui") },
    { ...usual, from: service("payout-router") },
    { ...usual, from: service("admin-ui"), fresh: true },
  );
  try {
    await work();
  } finally {
    await loads.assertUnharmed();
  }
}
