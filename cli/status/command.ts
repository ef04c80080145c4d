import type { Command } from "commander";

export interface StatusOptions {
  readonly json?: true;
  readonly url?: true;
  readonly open?: true;
  readonly kubeconfig?: string;
  readonly context?: string;
}

/** `status`. */
export function statusCommand(program: Command, done: (status: number) => void): void {
  program
    .command("status")
    .description(
      "How services, zones and the mesh are, as the mesh controller tells. Status 1: not well. Status 2: nothing could be told.",
    )
    .option("--json", "as JSON")
    .option("--url", "prints where the page with the live graph is, and keeps the way there open until Ctrl-C")
    .option("--open", "the same, and has the browser open it")
    .option("--kubeconfig <file>", "another cluster than the stack's")
    .option("--context <name>", "another context than the stack's")
    .action(async (options: StatusOptions, command: Command) => {
      // The Kubernetes client takes seconds to load, and few commands need it. An `import()` would not find TypeScript from `mesh.cjs`.
      // eslint-disable-next-line @typescript-eslint/no-require-imports
      const { runStatus } = require("./run") as typeof import("./run");
      done(await runStatus(options, command));
    });
}
