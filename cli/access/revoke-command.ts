import type { Command } from "commander";
import { revokeCall } from "../document/calls";
import { writeChange } from "../document/write";
import { readProject } from "../project";
import { STATUS } from "../exit-status";

/** `access revoke`. */
export function revokeCommand(access: Command, done: (status: number) => void): void {
  access
    .command("revoke")
    .description("Takes a call out of the document; `pulumi up` then takes it from the sidecars.")
    .requiredOption("--from <service>", "the caller")
    .requiredOption("--to <service>", "the callee")
    .option("--port <name>", "one port of it; default: all")
    .option("--dry-run", "print the change and write nothing")
    .action((options: { from: string; to: string; port?: string; dryRun?: true }, command: Command) => {
      const { settings, text } = readProject(command);
      const after = revokeCall(text, options.from, options.to, options.port, settings.document);
      writeChange(settings.document, text, after, options.dryRun === true);
      done(STATUS.done);
    });
}
