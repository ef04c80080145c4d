/** Lookups through a node's cache, and of Consul directly, in one run: all names, evenly, with the mesh's times to live, while one registration changes each second. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { ensureToolchain } from "../../../dev/toolchain";
import { Dnsperf, type Latency, type Throughput } from "./dnsperf";
import { changeOneEachSecond, lookedUp, registerAll } from "./registrations";
import { PORTS, Stack } from "./stack";

/** Lookups in a second of the runs that measure latency: fewer than any of the three can answer. */
const RATE = 1000;
/** Of the run that asks for each name once, before the cache knows it. */
const MISSES_RATE = 200;
/** Seconds of each run at that rate. */
const LATENCY_SECONDS = 10;

/** What one of those who answer does. */
export interface Answering extends Throughput {
  readonly title: string;
  readonly latency: Latency;
}

export interface Lookups {
  /** Of each name once, before the cache knows it. */
  readonly misses: Latency;
  readonly server: Answering;
  readonly agent: Answering;
  readonly cache: Answering;
  /** Share of what the cache was asked, as much as it answers, that it asked Consul, in percent. */
  readonly missedPercent: number;
  /** Of names that nobody has, through the cache. */
  readonly unknown: Latency;
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
  const { programs } = await ensureToolchain({ only: ["consul", "coredns", "debian"] });
  const dnsperf = new Dnsperf(programs.dnsperf);
  const most = async (title: string, port: number): Promise<Throughput> => {
    const found = await dnsperf.throughput(port, names, seconds);
    told(`${title}: ${found.rate.toFixed(0)} lookups/s (${found.sent} sent, ${found.lost} lost; ${found.codes})`);
    return found;
  };
  const usual = async (title: string, port: number, asked = names): Promise<Latency> => {
    const found = await dnsperf.latency(port, asked, { rate: RATE, seconds: LATENCY_SECONDS });
    tell(`${title}, at ${RATE}/s`, found);
    return found;
  };
  const answering = async (title: string, port: number): Promise<Answering> => ({
    title,
    ...(await most(title, port)),
    latency: await usual(title, port),
  });
  const stack = await Stack.start(programs);
  try {
    const started = performance.now();
    await registerAll({ services, instances });
    const took = ((performance.now() - started) / 1000).toFixed(1);
    told(`${services * instances} instances of ${services} services registered in ${took} s`);
    const stopChanges = changeOneEachSecond({ services });
    await stack.restartCache();
    const misses = await dnsperf.latency(PORTS.cacheDns, names, { rate: MISSES_RATE, times: 1 });
    tell("first lookups, through the cache", misses);
    const server = await answering("Consul's server", PORTS.serverDns);
    const agent = await answering("Consul's agent on the node", PORTS.agentDns);
    const title = "the node's cache";
    const before = await stack.cacheCounts();
    const cached = await most(title, PORTS.cacheDns);
    const { missed, asked } = await stack.cacheCounts();
    const missedPercent = (100 * (missed - before.missed)) / (asked - before.asked);
    told(`${title} asked Consul ${missedPercent.toFixed(2)} % of that`);
    const cache = { title, ...cached, latency: await usual(title, PORTS.cacheDns) };
    const unknown = await usual("names that nobody has, through the cache", PORTS.cacheDns, nobodys);
    told(`the cache answers ${(cache.rate / server.rate).toFixed(1)} times what Consul's server does`);
    const changes = await stopChanges();
    told(`${changes} registrations changed meanwhile`);
    return { misses, server, agent, cache, missedPercent, unknown, changes };
  } finally {
    await stack.stop();
    rmSync(folder, { recursive: true });
  }
}

/** In an order that no cache is made for; the same in each run. */
function shuffled(list: readonly number[]): readonly number[] {
  return [...list].sort((one, other) => ((one * 7919) % list.length) - ((other * 7919) % list.length));
}
