import { execFile } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";

import { Refusal } from "../toolchain";
import { messageOf } from "./errors";

/** Options of {@link run}. */
export interface RunOptions {
  /** Text for the command's standard input. */
  readonly input?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/**
 * Runs a command and returns its standard output.
 *
 * @throws Refusal with the command and the last line of its standard error.
 */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      command,
      [...args],
      { encoding: "utf8", maxBuffer: 64 << 20, env: options.env ?? process.env },
      (error, stdout, stderr) => {
        if (error === null) {
          resolve(stdout);
          return;
        }
        const lines = stderr.trim().split("\n");
        const reason = stderr.trim() === "" ? messageOf(error) : lines.slice(-3).join("; ");
        reject(new Refusal(`${[command, ...args].join(" ").slice(0, 200)}: ${reason}`));
      },
    );
    // A command that ends without reading its input is told by its exit code, not by EPIPE here.
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(options.input ?? "");
  });
}

/** What {@link until} waits for. */
export interface Awaited {
  /** Names the condition in the error, as in "the API server to answer". */
  readonly what: string;
  readonly seconds: number;
  readonly intervalMilliseconds?: number;
  /** What to look at when it never comes true. */
  readonly hint: string;
}

/**
 * Waits until `condition` gives something other than undefined or false, and returns it. A condition that throws counts as
 * not yet true; its last error ends up in the message.
 *
 * @throws Refusal when the time is over.
 */
export async function until<T>(awaited: Awaited, condition: () => Promise<T | undefined | false>): Promise<T> {
  const end = Date.now() + awaited.seconds * 1000;
  let last = "";
  for (;;) {
    try {
      const value = await condition();
      if (value !== undefined && value !== false) {
        return value;
      }
    } catch (error) {
      last = ` (${messageOf(error)})`;
    }
    if (Date.now() >= end) {
      throw new Refusal(`waited ${String(awaited.seconds)} s for ${awaited.what}${last}; ${awaited.hint}`);
    }
    await delay(awaited.intervalMilliseconds ?? 200);
  }
}
