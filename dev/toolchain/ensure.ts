import * as fs from "node:fs";
import * as path from "node:path";

import { cacheDir, logsDir } from "../paths";
import { debianPackages, envoyTool, goTools, parts, type Part, type Program } from "./catalog";
import { debianStep } from "./debian";
import { checkRoom } from "./disk";
import { envoyStep } from "./envoy";
import { Refusal } from "./failure";
import { goEnvironment, goStep, type GoEnvironment } from "./go";
import { withLock } from "./lock";
import { elapsed, Progress, progressSettings } from "./progress";
import type { Step } from "./step";
import { Store } from "./store";

/** The tools, ready to be run. */
export interface Toolchain {
  /** Folder of everything that is built or downloaded; put it first on `PATH` where programs look each other up. */
  readonly binDir: string;
  /** Absolute path of each program. */
  readonly programs: Readonly<Record<Program, string>>;
}

export interface ToolchainOptions {
  /** The parts that are needed; all by default. Paths of the others are given all the same. */
  readonly only?: readonly Part[];
  /** Where to say what is done; by default the process's standard output. */
  readonly progress?: Progress;
}

/**
 * Makes sure that every tool of the environment is there, building, downloading and installing what is missing. The
 * first time takes some 25 minutes on two cores; afterwards it is a look at the cache.
 * @throws Refusal when the person has to mend something first (one line)
 * @throws StepFailure when a step fails; what is finished is kept
 */
export async function ensureToolchain(options: ToolchainOptions = {}): Promise<Toolchain> {
  const progress = options.progress ?? new Progress(progressSettings("toolchain"));
  const only = options.only ?? parts;
  const cache = cacheDir();
  const store = new Store(cache);
  const go = only.some(isBuilt) ? await goEnvironment() : undefined;
  const steps = makeSteps(only, store, go);

  let missing = await notReady(steps);
  if (missing.length > 0) {
    await checkAll(missing, cache, go);
    const waiting = () => {
      progress.say("another run is making the tools; waiting for it to end");
    };
    await withLock(path.join(cache, "toolchain.lock"), waiting, async () => {
      missing = await notReady(missing); // The other run may have made them.
      if (missing.length > 0) {
        store.prune();
        await runSteps(missing, progress);
      }
    });
  }
  return toolchainOf(store.bin);
}

function isBuilt(part: Part): boolean {
  return part !== "debian" && part !== envoyTool.name;
}

function makeSteps(only: readonly Part[], store: Store, go: GoEnvironment | undefined): readonly Step[] {
  const modules = path.join(__dirname, "modules");
  const makers = new Map<Part, () => Step>([
    ["debian", debianStep],
    [envoyTool.name, () => envoyStep(path.join(__dirname, "requirements.txt"), store)],
  ]);
  if (go !== undefined) {
    for (const tool of goTools) {
      makers.set(tool.name, () => goStep(tool, modules, store, go));
    }
  }
  return parts.filter((part) => only.includes(part)).flatMap((part) => makers.get(part)?.() ?? []);
}

async function notReady(steps: readonly Step[]): Promise<readonly Step[]> {
  const ready = await Promise.all(steps.map((step) => step.isReady()));
  return steps.filter((_, index) => ready[index] !== true);
}

async function checkAll(missing: readonly Step[], cache: string, go: GoEnvironment | undefined): Promise<void> {
  for (const step of missing) {
    await step.check();
  }
  try {
    fs.mkdirSync(logsDir(), { recursive: true });
    fs.accessSync(cache, fs.constants.W_OK);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Refusal(`The cache ${cache} can't be written (${reason}): set LUCID_MESH_CACHE to a folder of yours.`);
  }
  const sum = (lane: Step["lane"]) =>
    missing.filter((step) => step.lane === lane).reduce((gigabytes, step) => gigabytes + step.coldGigabytes, 0);
  const [modules = cache, builds = cache] = go?.caches ?? [];
  checkRoom([
    // Two fifths of a build's room are sources, nearly all of the rest is compiled packages, little is the binary.
    { folder: modules, gigabytes: sum("go") * 0.41 },
    { folder: builds, gigabytes: sum("go") * 0.54 },
    { folder: cache, gigabytes: sum("go") * 0.05 + sum("python") },
    { folder: "/usr", gigabytes: sum("debian") },
  ]);
}

/** Runs lanes side by side; the first failure ends the others where that is harmless. @throws what failed first */
async function runSteps(missing: readonly Step[], progress: Progress): Promise<void> {
  const minutes = (lane: Step["lane"]) =>
    missing.filter((step) => step.lane === lane).reduce((total, step) => total + step.coldMinutes, 0);
  const lanes = [...new Set(missing.map((step) => step.lane))];
  const longest = Math.max(...lanes.map(minutes));
  progress.say(
    `${String(missing.length)} to make: ${missing.map((step) => step.part).join(", ")}; ` +
      `up to ${String(longest)} min on two cores, this once; logs in ${logsDir()}`,
  );

  const started = Date.now();
  const abort = new AbortController();
  const failures: unknown[] = [];
  await Promise.all(
    lanes.map(async (lane) => {
      for (const step of missing.filter((candidate) => candidate.lane === lane)) {
        if (abort.signal.aborted) {
          return;
        }
        try {
          await runStep(step, progress, abort.signal);
        } catch (error) {
          failures.push(error);
          abort.abort();
          return;
        }
      }
    }),
  );
  if (failures.length > 0) {
    throw failures[0];
  }
  progress.say(`all tools ready after ${elapsed(Date.now() - started)}`);
}

async function runStep(step: Step, progress: Progress, signal: AbortSignal): Promise<void> {
  const logFile = path.join(logsDir(), `${step.part}.log`);
  fs.writeFileSync(logFile, `${step.title}, ${new Date().toISOString()}\n`);
  await progress.step(step.title, (running) => step.work({ running, logFile, signal }));
}

function toolchainOf(binDir: string): Toolchain {
  const built = [envoyTool.name, ...goTools.flatMap((tool) => [tool.name, ...tool.aliases])];
  const entries: readonly (readonly [string, string])[] = [
    ...built.map((program) => [program, path.join(binDir, program)] as const),
    ...debianPackages.flatMap((entry) => entry.programs.map((file) => [path.basename(file), file] as const)),
  ];
  // The catalogue gives both the names of the type and these entries.
  return { binDir, programs: Object.fromEntries(entries) as Record<Program, string> };
}
