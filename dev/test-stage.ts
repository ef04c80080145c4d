import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { setPriority, tmpdir } from "node:os";
import * as path from "node:path";
import { checkoutDir } from "./paths";
import { elapsed } from "./toolchain/progress";

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  /** One line for each failure that has something to tell beyond its number. */
  readonly failures?: readonly string[];
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
export function sum(counts: readonly Counts[]): Required<Counts> {
  return {
    passed: counts.reduce((total, { passed }) => total + passed, 0),
    failed: counts.reduce((total, { failed }) => total + failed, 0),
    failures: counts.flatMap(({ failures }) => failures ?? []),
  };
}

/** The plain line a test run ends with. */
export function closingLine({ passed, failed }: Counts): string {
  return `${passed} passed, ${failed} failed`;
}

/** What mocha's counting reporter leaves behind for each run. */
interface MochaRun {
  readonly passes: number;
  readonly pending: number;
  readonly failures: readonly { readonly test: string; readonly message: string }[];
}

/** Counts that mocha runs left behind: one JSON object a line. A failed command without a failed test counts as one failure. */
export function readCounts(text: string, status: number): Counts {
  const runs = text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as MochaRun);
  const counts = sum(
    runs.map(({ passes, pending, failures }) => ({
      passed: passes,
      failed: failures.length + pending,
      failures: failures.map(({ test, message }) => `${test}: ${told(message)}`),
    })),
  );
  const silent = status !== 0 && counts.failed === 0;
  const empty = runs.length === 0 || counts.passed + counts.failed === 0;
  if (!silent && !empty) return counts;
  const reason = empty ? "no test ran" : "every test passed, but the command failed";
  return { ...counts, failed: counts.failed + 1, failures: [...counts.failures, `${reason} (exit status ${status})`] };
}

/** How many lines of a failure are told from its beginning and from its end: what Pulumi printed ends with what was wrong. */
const TOLD_FIRST = 8;
const TOLD_LAST = 24;

/** What a failure says, indented below its test. */
function told(message: string): string {
  const lines = message.split("\n").map((line) => line.trimEnd());
  const left = lines.length - TOLD_FIRST - TOLD_LAST;
  const kept =
    left <= 0 ? lines : [...lines.slice(0, TOLD_FIRST), `… ${left} more lines …`, ...lines.slice(-TOLD_LAST)];
  return kept.join("\n    ");
}

/** How much lower the priority of a stage is that runs beside others: what they measure is theirs. */
const BESIDE_PRIORITY = 10;

/**
 * Runs a stage, and says how it ended.
 *
 * @param isBeside whether it runs beside another one: at a lower priority, its output kept together until it ends. Otherwise that goes to ours as it comes.
 */
export async function runStage(stage: Stage, { isBeside = false } = {}): Promise<Counts> {
  const started = Date.now();
  if (!isBeside) console.log(`\n=== ${stage.title}`);
  const folder = mkdtempSync(path.join(tmpdir(), "lucid-test-"));
  try {
    const countsFile = path.join(folder, "counts");
    const { status, output } = await run(
      stage,
      { ...process.env, ...stage.env, LUCID_TEST_COUNTS: countsFile },
      isBeside,
    );
    if (isBeside) console.log(`\n=== ${stage.title} (beside the above)\n${output}`);
    const counts = stage.counted
      ? readCounts(existsSync(countsFile) ? readFileSync(countsFile, "utf8") : "", status)
      : status === 0
        ? { passed: 1, failed: 0 }
        : { passed: 0, failed: 1, failures: [`exit status ${status}`] };
    console.log(`=== ${stage.title}: ${closingLine(counts)} (${elapsed(Date.now() - started)})`);
    return { ...counts, failures: counts.failures?.map((failure) => `${stage.title}: ${failure}`) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

interface Ended {
  readonly status: number;
  /** What it printed, where that was kept. */
  readonly output: string;
}

async function run(stage: Stage, env: NodeJS.ProcessEnv, isBeside: boolean): Promise<Ended> {
  const [command, ...args] = stage.command;
  return new Promise((resolve) => {
    const output = isBeside ? "pipe" : "inherit";
    const child = spawn(command, args, { cwd: stage.cwd ?? checkoutDir, env, stdio: ["ignore", output, output] });
    const chunks: Buffer[] = [];
    for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk: Buffer) => chunks.push(chunk));
    const end = (status: number) => {
      resolve({ status, output: Buffer.concat(chunks).toString() });
    };
    child.on("spawn", () => {
      if (isBeside && child.pid !== undefined) setPriority(child.pid, BESIDE_PRIORITY);
    });
    child.on("error", (error) => {
      console.error(`error: ${command} could not be started: ${error.message}`);
      end(1);
    });
    child.on("close", (code) => {
      end(code ?? 1);
    });
  });
}
