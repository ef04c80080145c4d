import type { Command } from "commander";

export interface CertificatesOptions {
  readonly against?: string;
  readonly from?: string;
  readonly json?: true;
}

/** `certificates`. */
export function certificatesCommand(program: Command, done: (status: number) => void): void {
  program
    .command("certificates")
    .description(
      "When certificates are made anew and end, and whether both ends of every edge trust each other at every instant. Status 1: they don't.",
    )
    .option(
      "--against <file>",
      "the stack's configuration as it is deployed (Pulumi.<stack>.yaml): whom the update from there to here parts",
    )
    .option("--from <instant>", "when the certificates are made (RFC 3339); default: now")
    .option("--json", "as JSON")
    .action(async (options: CertificatesOptions, command: Command) => {
      // What renders a whole mesh takes seconds to load, and no other command needs it.
      // An `import()` would not find TypeScript from `mesh.cjs`.
      // eslint-disable-next-line @typescript-eslint/no-require-imports
      const { runCertificates } = require("./run") as typeof import("./run");
      done(await runCertificates(options, command));
    });
}
