import { InvalidArgumentError, type Command } from "commander";

export interface CheckOptions {
  readonly pre?: true;
  readonly wait?: number;
  readonly only?: readonly string[];
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly json?: true;
}

/** Longest `--wait`, in seconds: a day. */
const LONGEST = 86_400;

/** `check`. */
export function checkCommand(program: Command, done: (status: number) => void): void {
  program
    .command("check")
    .description(
      "Whether a cluster is fit for the mesh, and whether the mesh on it is well. Changes nothing. Status 1: something does not hold. Status 2: nothing could be told.",
    )
    .option("--pre", "only what must hold before installation")
    .option("--wait <seconds>", "tries again until all holds, for so long at most", secondsOf)
    .option("--only <words>", "these categories and checks alone, with commas between, and what they need", listed)
    .option("--kubeconfig <file>", "another cluster than the stack's")
    .option("--context <name>", "another context than the stack's")
    .option("--json", "as JSON")
    .action(async (options: CheckOptions, command: Command) => {
      // What renders a whole mesh takes seconds to load, and no other command needs it. An `import()` would not find TypeScript from `mesh.cjs`.
      // eslint-disable-next-line @typescript-eslint/no-require-imports
      const { runCheck } = require("./run") as typeof import("./run");
      done(await runCheck(options, command));
    });
}

function secondsOf(text: string): number {
  const seconds = Number(text);
  if (!/^\d+$/.test(text) || seconds > LONGEST)
    throw new InvalidArgumentError(`It is no whole number of seconds from 0 to ${String(LONGEST)}.`);
  return seconds;
}

function listed(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, ...text.split(",").filter((word) => word !== "")];
}
