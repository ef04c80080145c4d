import type { Command } from "commander";

/** What asks the cluster takes seconds to load. An `import()` would not find TypeScript from `mesh.cjs`. */
// eslint-disable-next-line @typescript-eslint/no-require-imports
const load = () => require("./run") as typeof import("./run");

export interface RestoreOptions {
  readonly yes?: true;
}

/** `snapshot list`, `snapshot take`, `snapshot restore`. */
export function snapshotCommand(program: Command, done: (status: number) => void): void {
  const snapshot = program
    .command("snapshot")
    .description("Snapshots of Consul's state: those on the servers' volumes, one more, or back to one.");
  snapshot
    .command("list")
    .description("Every snapshot of every server, each read to its end. Status 1: one is damaged, or there is none.")
    .option("--json", "as JSON")
    .action(async (options: { readonly json?: true }, command: Command) => {
      done(await load().runList(options, command));
    });
  snapshot
    .command("take")
    .description("Takes a snapshot now, on the leader's volume. Nothing is removed for it.")
    .action(async (_options: object, command: Command) => {
      done(await load().runTake(command));
    });
  snapshot
    .command("restore")
    .description(
      "Puts a snapshot in the place of all that Consul holds, ACLs and tokens included, after it has taken one of what is there. Reads the management token from the cluster.",
    )
    .argument("<name>", "the snapshot, as `snapshot list` names it")
    .option("--yes", "don't ask")
    .action(async (name: string, options: RestoreOptions, command: Command) => {
      done(await load().runRestore(name, options, command));
    });
}
