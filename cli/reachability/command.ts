import { Option, type Command } from "commander";

export interface ReachabilityOptions {
  readonly against?: string;
  readonly objects?: string;
  readonly acl?: string;
  readonly html?: string;
  readonly json?: true;
  readonly markdown?: true;
}

/** `reachability`. */
export function reachabilityCommand(program: Command, done: (status: number) => void): void {
  program
    .command("reachability")
    .description(
      "Who reaches whom, computed from the objects that the document renders, and whether that is exactly what it declares. Status 1: it is not.",
    )
    .option("--against <file>", "another document (of the branch that this one goes into): what opens and closes")
    .option(
      "--objects <file>",
      "judge these objects instead: YAML, or what `kubectl get -o json` prints; '-' reads the standard input",
    )
    .option("--acl <file>", "Consul's ACL objects beside `--objects`, as its API answers them: who may register names")
    .addOption(new Option("--json", "as JSON").conflicts("markdown"))
    .addOption(new Option("--markdown", "as Markdown, for a pull request's comment"))
    .option("--html <file>", "writes one self-contained page besides, with the edges drawn")
    .action(async (options: ReachabilityOptions, command: Command) => {
      // What renders a whole mesh takes seconds to load, and no other command needs it. An `import()` would not find TypeScript from `mesh.cjs`.
      // eslint-disable-next-line @typescript-eslint/no-require-imports
      const { runReachability } = require("./run") as typeof import("./run");
      done(await runReachability(options, command));
    });
}
