import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { checkoutDir } from "./paths";
import { elapsed } from "./toolchain/progress";

export interface Counts {
  readonly passed: number;
  readonly failed: number;
}

/** One command of the test run. */
export interface Stage {
  readonly title: string;
  readonly command: readonly [string, ...string[]];
  /** Counts as tests what mocha counts; otherwise the stage itself is one test. */
  readonly counted?: boolean;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
}

/** Adds counts up. */
export function sum(counts: readonly Counts[]): Counts {
  return counts.reduce(
    (total, { passed, failed }) => ({ passed: total.passed + passed, failed: total.failed + failed }),
    {
      passed: 0,
      failed: 0,
    },
  );
}

/** The plain line a test run ends with. */
export function closingLine({ passed, failed }: Counts): string {
  return `${passed} passed, ${failed} failed`;
}

/** Counts that mocha runs left behind: one JSON object a line. A failed command without a failed test counts as one failure. */
export function readCounts(text: string, status: number): Counts {
  const runs = text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as { passes: number; failures: number; pending: number });
  const counts = sum(runs.map(({ passes, failures, pending }) => ({ passed: passes, failed: failures + pending })));
  const silent = status !== 0 && counts.failed === 0;
  const empty = runs.length === 0 || counts.passed + counts.failed === 0;
  return silent || empty ? { ...counts, failed: counts.failed + 1 } : counts;
}

/** Runs a stage, its output going to ours, and says how it ended. */
export async function runStage(stage: Stage): Promise<Counts> {
  const started = Date.now();
  console.log(`\n=== ${stage.title}`);
  const folder = mkdtempSync(path.join(tmpdir(), "lucid-test-"));
  try {
    const countsFile = path.join(folder, "counts");
    const status = await run(stage, { ...process.env, ...stage.env, LUCID_TEST_COUNTS: countsFile });
    const counts = stage.counted
      ? readCounts(existsSync(countsFile) ? readFileSync(countsFile, "utf8") : "", status)
      : { passed: status === 0 ? 1 : 0, failed: status === 0 ? 0 : 1 };
    console.log(`=== ${stage.title}: ${closingLine(counts)} (${elapsed(Date.now() - started)})`);
    return counts;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function run(stage: Stage, env: NodeJS.ProcessEnv): Promise<number> {
  const [command, ...args] = stage.command;
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: stage.cwd ?? checkoutDir, env, stdio: ["ignore", "inherit", "inherit"] });
    child.on("error", (error) => {
      console.error(`error: ${command} could not be started: ${error.message}`);
      resolve(1);
    });
    child.on("close", (code) => {
      resolve(code ?? 1);
    });
  });
}
