/** Lookups through a node's cache, and of Consul directly, in one run: all names, evenly, with the mesh's times to live, while one registration changes each second. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { latency, throughput } from "./dnsperf";
import type { Latency } from "./dnsperf";
import { changeOneEachSecond, lookedUp, registerAll } from "./registrations";
import { PORTS, Stack } from "./stack";

/** Lookups in a second of the runs that measure latency: fewer than any of the three can answer. */
const RATE = 1000;
/** Of the run that asks for each name once, before the cache knows it. */
const MISSES_RATE = 200;
/** Seconds of each run at that rate. */
const LATENCY_SECONDS = 10;

/** What one of those who answer does. */
export interface Answering {
  readonly title: string;
  /** Answers in a second, where as much is asked as is answered. */
  readonly rate: number;
  readonly sent: number;
  readonly lost: number;
  /** By the code of the answer. */
  readonly codes: string;
  readonly latency: Latency;
}

export interface Lookups {
  /** Of each name once, before the cache knows it. */
  readonly misses: Latency;
  readonly server: Answering;
  readonly agent: Answering;
  readonly cache: Answering;
  /** Share of what the cache was asked that it asked Consul, in percent. */
  readonly missedPercent: number;
  /** Of names that nobody has, through the cache. */
  readonly unknown: Latency;
  /** How many times what Consul's server answers the cache answers. */
  readonly ratio: number;
  /** Registrations that changed meanwhile. */
  readonly changes: number;
}

/**
 * Measures.
 *
 * @param seconds of each run that asks for as much as is answered
 * @param told is told each result as it comes
 */
export async function measure(
  { services, instances, seconds }: { readonly services: number; readonly instances: number; readonly seconds: number },
  told: (line: string) => void,
): Promise<Lookups> {
  const folder = mkdtempSync(path.join(tmpdir(), "lucid-names-"));
  const write = (file: string, names: readonly string[]) => {
    const written = path.join(folder, file);
    writeFileSync(written, names.map((name) => `${name} A\n`).join(""));
    return written;
  };
  const every = Array.from({ length: services }, (_, index) => index);
  const names = write("names", shuffled(every).map(lookedUp));
  const nobodys = write(
    "unknown",
    shuffled(every).map((index) => `no-${lookedUp(index)}`),
  );
  const tell = (title: string, { count, p50, p99, worst }: Latency) => {
    told(`${title}: p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms, worst ${worst.toFixed(1)} ms of ${count}`);
  };
  const answering = async (title: string, port: number): Promise<Answering> => {
    const { rate, sent, lost, codes } = await throughput(port, names, seconds);
    told(`${title}: ${rate.toFixed(0)} lookups/s (${sent} sent, ${lost} lost; ${codes})`);
    const found = await latency(port, names, { rate: RATE, seconds: LATENCY_SECONDS });
    tell(`${title}, at ${RATE}/s`, found);
    return { title, rate, sent, lost, codes, latency: found };
  };
  const stack = await Stack.start();
  try {
    const started = performance.now();
    await registerAll({ services, instances });
    const took = ((performance.now() - started) / 1000).toFixed(1);
    told(`${services * instances} instances of ${services} services registered in ${took} s`);
    const stopChanges = changeOneEachSecond({ services });
    await stack.restartCache();
    const misses = await latency(PORTS.cacheDns, names, { rate: MISSES_RATE, times: 1 });
    tell("first lookups, through the cache", misses);
    const server = await answering("Consul's server", PORTS.serverDns);
    const agent = await answering("Consul's agent on the node", PORTS.agentDns);
    const before = await stack.cacheCounts();
    const cache = await answering("the node's cache", PORTS.cacheDns);
    const { missed, asked } = await stack.cacheCounts();
    const missedPercent = (100 * (missed - before.missed)) / (asked - before.asked);
    told(`the node's cache asked Consul ${missedPercent.toFixed(2)} % of that`);
    const unknown = await latency(PORTS.cacheDns, nobodys, { rate: RATE, seconds: LATENCY_SECONDS });
    tell("names that nobody has, through the cache", unknown);
    const ratio = cache.rate / server.rate;
    told(`the cache answers ${ratio.toFixed(1)} times what Consul's server does`);
    const changes = await stopChanges();
    told(`${changes} registrations changed meanwhile`);
    return { misses, server, agent, cache, missedPercent, unknown, ratio, changes };
  } finally {
    await stack.stop();
    rmSync(folder, { recursive: true });
  }
}

/** In an order that no cache is made for; the same in each run. */
function shuffled(list: readonly number[]): readonly number[] {
  return [...list].sort((one, other) => ((one * 7919) % list.length) - ((other * 7919) % list.length));
}
