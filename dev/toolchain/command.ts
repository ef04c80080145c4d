import { spawn, type ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

import { mayPass, reasonFrom, StepFailure, Stopped } from "./failure";

/** What a command ended with. */
export interface CommandResult {
  /** 0 is success; -1 when it was ended by a signal or could not be started. */
  readonly code: number;
  /** For people: `exit code 2`, `signal SIGKILL`, `ENOENT`. */
  readonly exit: string;
  /** Standard output. */
  readonly stdout: string;
  /** Standard output and error together, in the order of arrival; its last 256 KiB. */
  readonly output: string;
}

export interface CommandOptions {
  readonly cwd?: string;
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Called with each whole line of either stream. */
  readonly onLine?: (line: string) => void;
  /** File descriptor that gets everything as well. */
  readonly log?: number;
}

const outputKept = 256 * 1024;
const children = new Set<ChildProcess>();

// Whatever ends this process ends what it started; a compiler left behind would compete with the next run.
process.on("exit", () => {
  for (const child of children) {
    child.kill("SIGTERM");
  }
});

/** Runs a command to its end. Never throws for what the command does. */
export function run(command: string, args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      signal: options.signal,
      stdio: ["ignore", "pipe", "pipe"],
    });
    children.add(child);
    let stdout = "";
    let output = "";
    let partial = "";
    const take = (chunk: string) => {
      if (options.log !== undefined) {
        fs.writeSync(options.log, chunk);
      }
      output = (output + chunk).slice(-outputKept);
      const lines = (partial + chunk).split("\n");
      partial = lines.pop() ?? "";
      lines.forEach((line) => options.onLine?.(line));
    };
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      stdout += chunk;
      take(chunk);
    });
    child.stderr.setEncoding("utf8").on("data", take);

    let problem: string | undefined;
    child.on("error", (error: NodeJS.ErrnoException) => {
      problem = error.code ?? error.message;
      if (child.pid === undefined) {
        finish(null, null);
      }
    });
    child.on("close", finish);

    function finish(code: number | null, signal: NodeJS.Signals | null): void {
      children.delete(child);
      const exit = signal !== null ? `signal ${signal}` : (problem ?? `exit code ${String(code ?? -1)}`);
      resolve({ code: problem === undefined ? (code ?? -1) : -1, exit, stdout, output });
    }
  });
}

/** A step's command, its log and what to do about a bad network. */
export interface LoggedCommand extends Omit<CommandOptions, "log"> {
  /** The step's title, for the failure's message. */
  readonly step: string;
  /** Absolute path of the step's log; the command is appended to it. */
  readonly logFile: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Told when the command is about to be tried again. */
  readonly onRetry?: (wait: number) => void;
}

/** Seconds between the tries of a command that the network let down. */
const retryAfter = [5, 20, 60] as const;

/**
 * Runs a step's command with everything it says in the step's log, and again where the network let it down.
 * @throws StepFailure when it does not succeed
 * @throws Stopped when its signal ended it
 */
export async function runLogged(logged: LoggedCommand): Promise<CommandResult> {
  for (let attempt = 0; ; attempt++) {
    const log = fs.openSync(logged.logFile, "a");
    let result: CommandResult;
    try {
      fs.writeSync(log, `\n$ ${[logged.command, ...logged.args].join(" ")}\n`);
      result = await run(logged.command, logged.args, { ...logged, log });
      fs.writeSync(log, `[${result.exit}]\n`);
    } finally {
      fs.closeSync(log);
    }
    if (result.code === 0) {
      return result;
    }
    if (logged.signal?.aborted === true) {
      throw new Stopped(logged.step);
    }
    const wait = mayPass(result.output) ? retryAfter[attempt] : undefined;
    if (wait === undefined) {
      throw new StepFailure(logged.step, reasonFrom(result.output, result.exit), logged.logFile);
    }
    logged.onRetry?.(wait);
    await sleep(wait * 1000, undefined, { signal: logged.signal }).catch(() => {
      throw new Stopped(logged.step);
    });
  }
}
