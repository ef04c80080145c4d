import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** How a run of the Pulumi CLI ended. */
export interface Run {
  readonly status: number;
  /** Standard output and standard error, line by line as they came. */
  readonly output: string;
}

/** Runs the Pulumi CLI to its end, whatever its exit status; 1 stands for an end by a signal. */
export function runPulumi(args: readonly string[], env: NodeJS.ProcessEnv, cwd?: string): Promise<Run> {
  return new Promise((resolve, reject) => {
    const child = spawn("pulumi", args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    const lines: string[] = [];
    // What comes in pieces of one stream is put together first: a piece may end within a line, and the other stream's come in between.
    for (const input of [child.stdout, child.stderr]) {
      createInterface({ input, crlfDelay: Infinity }).on("line", (line) => lines.push(line));
    }
    child.on("error", reject);
    child.on("close", (status) => {
      resolve({ status: status ?? 1, output: lines.map((line) => `${line}\n`).join("") });
    });
  });
}
