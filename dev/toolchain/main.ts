import { parseArgs } from "node:util";

import { parts, type Part } from "./catalog";
import { ensureToolchain } from "./ensure";
import { Refusal, StepFailure } from "./failure";

const usage = `usage: tsx dev/toolchain/main.ts [--only name,name]

Builds, downloads and installs the tools of the development environment; what is there already is left alone.
Names: ${parts.join(", ")}`;

function isPart(name: string): name is Part {
  return parts.some((part) => part === name);
}

/** Reads the command line. @throws Refusal */
function chosenParts(args: readonly string[]): readonly Part[] | "help" {
  let values;
  try {
    values = parseArgs({
      args: [...args],
      options: { only: { type: "string", multiple: true }, help: { type: "boolean", short: "h" } },
    }).values;
  } catch (error) {
    throw new Refusal(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
  }
  if (values.help === true) {
    return "help";
  }
  const names = (values.only ?? []).flatMap((list) => list.split(",")).filter((name) => name !== "");
  const unknown = names.filter((name) => !isPart(name));
  if (unknown.length > 0) {
    throw new Refusal(`--only: no such tool: ${unknown.join(", ")}; there are ${parts.join(", ")}.`);
  }
  return names.length === 0 ? parts : names.filter(isPart);
}

async function main(): Promise<void> {
  // So that what was started is ended (see command.ts).
  process.once("SIGINT", () => process.exit(130));
  process.once("SIGTERM", () => process.exit(143));
  const only = chosenParts(process.argv.slice(2));
  if (only === "help") {
    console.log(usage);
    return;
  }
  const { binDir } = await ensureToolchain({ only });
  console.log(`toolchain: ready in ${binDir}`);
}

main().catch((error: unknown) => {
  const expected = error instanceof Refusal || error instanceof StepFailure;
  console.error(expected ? `toolchain: ${error.message}` : error);
  process.exit(1);
});
