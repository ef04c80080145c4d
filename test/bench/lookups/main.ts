/**
 * Lookups through a node's cache, and of Consul directly, in one run: `npx tsx test/bench/lookups/main.ts [services] [instances] [seconds]`.
 *
 * All names are asked for, evenly; one registration changes each second; times to live are those of the mesh.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { latency, throughput } from "./dnsperf";
import type { Latency } from "./dnsperf";
import { changeOneEachSecond, lookedUp, registerAll } from "./registrations";
import { PORTS, Stack } from "./stack";

const [services = 1000, instances = 3, seconds = 20] = process.argv.slice(2).map(Number);
/** Lookups in a second of the runs that measure latency: fewer than any of the three can answer. */
const RATE = 1000;
/** Of the run that asks for each name once, before the cache knows it. */
const MISSES_RATE = 200;

async function main(): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), "lucid-names-"));
  const write = (file: string, names: readonly string[]) => {
    const written = path.join(folder, file);
    writeFileSync(written, names.map((name) => `${name} A\n`).join(""));
    return written;
  };
  const every = Array.from({ length: services }, (_, index) => index);
  const names = write("names", shuffled(every).map(lookedUp));
  const unknown = write(
    "unknown",
    shuffled(every).map((index) => `no-${lookedUp(index)}`),
  );
  const stack = await Stack.start();
  try {
    const started = performance.now();
    await registerAll({ services, instances });
    console.log(`${services * instances} instances of ${services} services registered in ${since(started)} s`);
    const stopChanges = changeOneEachSecond({ services });
    await stack.restartCache();
    print("first lookups, through the cache", await latency(PORTS.cacheDns, names, { rate: MISSES_RATE, times: 1 }));
    const rates = new Map<string, number>();
    for (const [title, port] of [
      ["Consul's server", PORTS.serverDns],
      ["Consul's agent on the node", PORTS.agentDns],
      ["the node's cache", PORTS.cacheDns],
    ] as const) {
      const before = await stack.cacheCounts();
      const { rate, sent, lost, codes } = await throughput(port, names, seconds);
      const { missed, asked } = await stack.cacheCounts();
      const share = (100 * (missed - before.missed)) / (asked - before.asked);
      rates.set(title, rate);
      console.log(
        `${title}: ${rate.toFixed(0)} lookups/s (${sent} sent, ${lost} lost; ${codes})${title === "the node's cache" ? `; ${share.toFixed(2)} % asked of Consul` : ""}`,
      );
      print(`${title}, at ${RATE}/s`, await latency(port, names, { rate: RATE, seconds: 10 }));
    }
    print(
      "names that nobody has, through the cache",
      await latency(PORTS.cacheDns, unknown, { rate: RATE, seconds: 10 }),
    );
    const direct = Math.max(rates.get("Consul's server") ?? 0, rates.get("Consul's agent on the node") ?? 0);
    console.log(
      `the cache answers ${((rates.get("the node's cache") ?? 0) / direct).toFixed(1)} times what Consul does`,
    );
    console.log(`${await stopChanges()} registrations changed meanwhile`);
  } finally {
    await stack.stop();
    rmSync(folder, { recursive: true });
  }
}

function print(title: string, { count, p50, p99, worst }: Latency): void {
  console.log(`${title}: p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms, worst ${worst.toFixed(1)} ms of ${count}`);
}

function since(started: number): string {
  return ((performance.now() - started) / 1000).toFixed(1);
}

/** In an order that no cache is made for; the same in each run. */
function shuffled(list: readonly number[]): readonly number[] {
  return [...list].sort((one, other) => ((one * 7919) % list.length) - ((other * 7919) % list.length));
}

void main();
