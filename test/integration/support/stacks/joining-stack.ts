/** The stack of examples/join, beside the mesh's own: in the same backend, on the same cluster. */
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { dump, load } from "js-yaml";
import { checkoutDir } from "../../../../dev/paths";
import { pulumiEnvironment } from "../../../../dev/pulumi-environment";
import { DEFAULT_STACK, stackTarget } from "../../../../dev/stack";
import { runPulumi, type Run } from "../../../run-pulumi";
import { EXAMPLE } from "./joining-document";

const STACK = ["--stack", DEFAULT_STACK] as const;
const PACK = [
  "--policy-pack",
  path.join(checkoutDir, "policies"),
  "--policy-pack-config",
  path.join(EXAMPLE, "ceiling.json"),
] as const;

/** `pulumi up`, with the policy pack. Its failure is a result, not an error. */
export async function join(...args: string[]): Promise<Run> {
  return run("up", "--yes", ...PACK, ...args);
}

/** `pulumi preview`, with the policy pack. */
export async function previewJoin(...args: string[]): Promise<Run> {
  return run("preview", ...PACK, ...args);
}

/** Takes the stack away, with all that it made. @throws Error with Pulumi's output, where that fails */
export async function leave(): Promise<void> {
  for (const command of [
    ["destroy", "--yes"],
    ["stack", "rm", "--yes"],
  ]) {
    const { status, output } = await run(...command);
    if (status !== 0) throw new Error(`pulumi ${command.join(" ")} failed:\n${output}`);
  }
}

async function run(...args: string[]): Promise<Run> {
  const { env, stackDir } = await pulumiEnvironment(stackTarget());
  // Pulumi writes the salt of its passphrase into the configuration that it uses, so a copy is used.
  const folder = path.join(path.dirname(stackDir), "joining");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  copyFileSync(path.join(EXAMPLE, "Pulumi.yaml"), path.join(folder, "Pulumi.yaml"));
  const config = configFile(folder);
  const common = [...STACK, "--non-interactive"];
  const made = await runPulumi(["stack", "select", "--create", ...common, "--cwd", folder], env);
  if (made.status !== 0) return made;
  const file = args[0] === "stack" ? [] : ["--config-file", config];
  return runPulumi([...args, ...common, ...file, "--cwd", args[0] === "stack" ? folder : EXAMPLE], env);
}

/** The committed configuration with the salt that Pulumi wrote beside the last one. */
function configFile(folder: string): string {
  const name = `Pulumi.${DEFAULT_STACK}.yaml`;
  const file = path.join(folder, name);
  const previous = existsSync(file)
    ? (load(readFileSync(file, "utf8")) as { encryptionsalt?: string } | undefined)
    : {};
  const committed = load(readFileSync(path.join(EXAMPLE, name), "utf8")) as { config: Record<string, unknown> };
  const salt = previous?.encryptionsalt === undefined ? {} : { encryptionsalt: previous.encryptionsalt };
  writeFileSync(file, dump({ ...salt, config: committed.config }), { mode: 0o600 });
  return file;
}
