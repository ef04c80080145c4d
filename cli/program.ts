/** The `mesh` command: questions to the document, and changes of it. */
import { Command, CommanderError } from "commander";
import { explainCommand } from "./access/explain-command";
import { grantCommand } from "./access/grant-command";
import { listCommand } from "./access/list-command";
import { revokeCommand } from "./access/revoke-command";
import { certificatesCommand } from "./certificates/command";
import { checkCommand } from "./check/command";
import { CliError, STATUS } from "./exit-status";
import { reachabilityCommand } from "./reachability/command";
import { snapshotCommand } from "./snapshot/command";
import { statusCommand } from "./status/command";

/** Runs a command line. @returns the exit status */
export async function run(args: readonly string[]): Promise<number> {
  let status: number = STATUS.done;
  const done = (result: number) => {
    status = result;
  };
  const program = new Command("mesh")
    .description("Asks the mesh document, and changes it; and asks the cluster whether all is well.")
    .option(
      "--stack <name>",
      "stack whose configuration is read (Pulumi.<name>.yaml)",
      process.env.PULUMI_STACK ?? "dev",
    )
    .option("--cwd <folder>", "the Pulumi project", ".")
    .exitOverride();
  const access = program.command("access").description("Who may call whom, and why.");
  for (const command of [listCommand, explainCommand, grantCommand, revokeCommand]) command(access, done);
  reachabilityCommand(program, done);
  certificatesCommand(program, done);
  checkCommand(program, done);
  snapshotCommand(program, done);
  statusCommand(program, done);
  try {
    await program.parseAsync(args, { from: "user" });
    return status;
  } catch (error) {
    // commander has said what is wrong already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? STATUS.done : STATUS.usage;
    if (!(error instanceof CliError)) throw error;
    console.error(`error: ${error.message}`);
    return STATUS.usage;
  }
}
