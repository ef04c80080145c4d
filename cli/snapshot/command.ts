import type { Command } from "commander";

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
      const { runList } = await import("./run");
      done(await runList(options, command));
    });
  snapshot
    .command("take")
    .description("Takes a snapshot now, on the leader's volume. Nothing is removed for it.")
    .action(async (_options: object, command: Command) => {
      const { runTake } = await import("./run");
      done(await runTake(command));
    });
  snapshot
    .command("restore")
    .description(
      "Puts a snapshot in the place of all that Consul holds, ACLs and tokens included, after it has taken one of what is there. Reads the management token from the cluster.",
    )
    .argument("<name>", "the snapshot, as `snapshot list` names it")
    .option("--yes", "don't ask")
    .action(async (name: string, options: RestoreOptions, command: Command) => {
      const { runRestore } = await import("./run");
      done(await runRestore(name, options, command));
    });
}
