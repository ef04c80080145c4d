import type { Command } from "commander";
import { readFileSync } from "node:fs";
import { NotModelled } from "../enforced/rbac";
import { Enforced } from "../enforced/world";
import { readProject } from "../project";
import { CliError, STATUS } from "../exit-status";
import { explain } from "./explain";
import { explanationText } from "./explain-text";
import { explainRecord } from "./record";
import { requestOf, type RequestOptions } from "./request";

interface ExplainOptions extends RequestOptions {
  readonly from?: string;
  readonly to?: string;
  readonly port?: string;
  readonly record?: string;
  readonly json?: true;
}

/** `access explain`. */
export function explainCommand(access: Command, done: (status: number) => void): void {
  access
    .command("explain")
    .description(
      "Whether a call is allowed, by which layers, and which line of the document says so. Status 1: refused.",
    )
    .option("--from <service>", "the caller")
    .option("--to <service>", "the callee")
    .option("--port <name>", "the callee's port; default: the one that is called")
    .option("--method <method>", "HTTP method; default: any")
    .option("--path <path>", "path; default: any")
    .option("--grpc <package.Service/Method>", "gRPC method, instead of method and path")
    .option("--at <time>", "as if it were then (2026-12-31T18:00:00Z); default: now")
    .option("--record <json>", "explain a record of a sidecar's log instead; '-' reads it from the standard input")
    .option("--json", "as JSON")
    .action((options: ExplainOptions, command: Command) => {
      done(runExplain(options, command));
    });
}

function runExplain(options: ExplainOptions, command: Command): number {
  const { mesh, settings, placeOf } = readProject(command);
  const enforced = new Enforced(mesh, settings);
  try {
    if (options.record !== undefined) {
      const explained = explainRecord(enforced, placeOf, recordText(options.record));
      const { refused, says, place, now } = explained;
      const line = place === undefined ? [] : [`document: ${place}`];
      const text = [
        ...says,
        ...line,
        ...(now === undefined ? [] : ["", `by this document, ${explanationText(now)}`]),
      ].join("\n");
      console.log(options.json === true ? JSON.stringify(explained, undefined, 2) : text);
      return refused ? STATUS.refused : STATUS.done;
    }
    const { from, to, port } = options;
    if (from === undefined || to === undefined)
      throw new CliError("say who calls whom by --from and --to, or give a --record");
    const request = requestOf(options, new Date());
    const explanation = explain(enforced, placeOf, { from, to, ...(port === undefined ? {} : { port }), request });
    console.log(options.json === true ? JSON.stringify(explanation, undefined, 2) : explanationText(explanation));
    return explanation.allowed ? STATUS.done : STATUS.refused;
  } catch (error) {
    if (error instanceof NotModelled) throw new CliError(error.message);
    throw error;
  }
}

function recordText(given: string): string {
  return given === "-" ? readFileSync(0, "utf8") : given;
}
