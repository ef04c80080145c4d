import type { Command } from "commander";
import { findService } from "../../mesh";
import { didYouMean } from "../../mesh/document/suggest";
import { Enforced } from "../enforced/world";
import { readProject } from "../project";
import { CliError, STATUS } from "../exit-status";
import { accessRows, rowsText } from "./list";

/** `access list`. */
export function listCommand(access: Command, done: (status: number) => void): void {
  access
    .command("list")
    .description("Who may call whom, on which port, with what, until when and why; infrastructure included.")
    .option("--service <name>", "only where this service calls or is called")
    .option("--json", "as JSON")
    .action((options: { service?: string; json?: true }, command: Command) => {
      const { mesh, settings, placeOf } = readProject(command);
      const { service } = options;
      if (service !== undefined && findService(mesh, service) === undefined) {
        const names = mesh.services.map(({ name }) => name);
        throw new CliError(
          `--service: '${service}' is not declared; ${didYouMean(service, names, "name a service of the document")}`,
        );
      }
      const rows = accessRows(new Enforced(mesh, settings), placeOf, new Date().toISOString(), service);
      console.log(options.json === true ? JSON.stringify(rows, undefined, 2) : rowsText(rows));
      done(STATUS.done);
    });
}
