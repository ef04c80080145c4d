import type { Command } from "commander";
import { grantCall, type GrantedCall } from "../document/calls";
import { writeChange } from "../document/write";
import { readProject } from "../project";
import { STATUS } from "../exit-status";

interface GrantOptions extends Omit<GrantedCall, "methods" | "paths" | "grpc"> {
  readonly methods?: readonly string[];
  readonly paths?: readonly string[];
  readonly grpc?: readonly string[];
  readonly dryRun?: true;
}

/** `access grant`. */
export function grantCommand(access: Command, done: (status: number) => void): void {
  access
    .command("grant")
    .description("Declares a call until a date, in the document; `pulumi up` then brings it to the sidecars.")
    .requiredOption("--from <service>", "the caller")
    .requiredOption("--to <service>", "the callee")
    .option("--port <name>", "the callee's port; default: its first")
    .requiredOption("--until <date>", "end (UTC): 2026-12-31, that day included, or 2026-12-31T18:00:00Z")
    .requiredOption("--reason <text>", "why it is needed")
    .option("--methods <method...>", "HTTP methods; default: any")
    .option("--paths <path...>", "paths, a trailing * makes a prefix; default: any")
    .option("--grpc <method...>", "gRPC methods, package.Service/Method or package.Service/*")
    .option("--dry-run", "print the change and write nothing")
    .action((options: GrantOptions, command: Command) => {
      const { settings, text } = readProject(command);
      const { dryRun, ...grant } = options;
      const after = grantCall(text, grant, settings.document, new Date().toISOString());
      writeChange(settings.document, text, after, dryRun === true);
      done(STATUS.done);
    });
}
