/**
 * What the policy pack and the proof add to `pulumi preview`, by the real CLI and engine: `npx tsx test/bench/preview/main.ts [services] [rounds]`.
 *
 * The ways take turns, so that what else the machine does falls on all alike, and the best run of each counts. CPU is that of the CLI and of all that it starts; on a busy
 * machine it is the figure to go by.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { checkoutDir } from "../../../dev/paths";
import { Program } from "../../program/program";
import { writeManyServices } from "./many-services";

const [services = 100, rounds = 3] = process.argv.slice(2).map(Number);

/** Clock ticks a second in `/proc` (`USER_HZ`). */
const TICKS = 100;

interface Way {
  readonly title: string;
  readonly proven: boolean;
  readonly pack: boolean;
  readonly runs: { readonly wall: number; readonly cpu: number }[];
}

async function main(): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), "lucid-bench-"));
  const program = await Program.prepare(path.join(__dirname, "program"));
  const ways: readonly Way[] = [
    { title: "bare", proven: false, pack: false, runs: [] },
    { title: "proven", proven: true, pack: false, runs: [] },
    { title: "pack", proven: false, pack: true, runs: [] },
    { title: "proven, pack", proven: true, pack: true, runs: [] },
  ];
  try {
    const { document, ceiling } = writeManyServices(services, folder);
    const pack = ["--policy-pack", path.join(checkoutDir, "policies"), "--policy-pack-config", ceiling];
    for (let round = 0; round < rounds; round++) {
      for (const way of ways) {
        const [started, cpuBefore] = [performance.now(), cpuOfChildren()];
        const { status, output } = await program.preview(
          { document, proven: String(way.proven) },
          way.pack ? pack : [],
        );
        if (status !== 0) throw new Error(`${way.title}: ${output}`);
        way.runs.push({ wall: (performance.now() - started) / 1000, cpu: cpuOfChildren() - cpuBefore });
        console.error(way.title, way.runs.at(-1), /Resources:[\s\S]*?create/.exec(output)?.[0]);
      }
    }
    print(ways);
  } finally {
    program.dispose();
    rmSync(folder, { recursive: true });
  }
}

/** Seconds of CPU that ended processes which this one waited for have used, and theirs. */
function cpuOfChildren(): number {
  const fields = readFileSync("/proc/self/stat", "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  return (Number(fields[13]) + Number(fields[14])) / TICKS;
}

function print(ways: readonly Way[]): void {
  const best = ways.map(({ runs }) => ({
    wall: Math.min(...runs.map(({ wall }) => wall)),
    cpu: Math.min(...runs.map(({ cpu }) => cpu)),
  }));
  const [bare] = best;
  const cell = (value: number, base = value) => `${value.toFixed(1)} s (${percent(value / base - 1)})`;
  console.log(`| ${services} services, best of ${rounds} | wall | CPU |\n|---|---|---|`);
  for (const [index, { title }] of ways.entries()) {
    const { wall, cpu } = best[index] ?? { wall: 0, cpu: 0 };
    console.log(`| ${title} | ${cell(wall, bare?.wall)} | ${cell(cpu, bare?.cpu)} |`);
  }
}

function percent(share: number): string {
  return `${share < 0 ? "−" : "+"}${Math.abs(share * 100).toFixed(0)} %`;
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
