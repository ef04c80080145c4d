import { toolPath } from "../support/tool-path";
import type { Host } from "./network";

/** What a tool left behind. */
export interface ToolRun {
  readonly code: number | null;
  readonly output: string;
}

/** Runs a tool in a namespace to its end, with standard output kept and standard error passed on where it fails. */
export function runTool(host: Host, name: string, args: readonly string[]): Promise<ToolRun> {
  const child = host.spawn([toolPath(name), ...args], 0, { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  let errors = "";
  child.stdout?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr?.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      resolve({ code, output: code === 0 ? output : `${output}\n${errors}` });
    });
  });
}
