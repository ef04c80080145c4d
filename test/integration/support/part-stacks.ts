/** The stacks of the mesh's parts, on the embedded cluster: one backend, and a passphrase for each that the others don't have. */
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { dump, load } from "js-yaml";
import { offeringConsul } from "../../../dev/consul-forward";
import { projectDir, pulumiEnvironment } from "../../../dev/pulumi-environment";
import { stackConfig, stackTarget } from "../../../dev/stack";
import type { ZoneName } from "../../../mesh";
import { runPulumi, type Run } from "../../run-pulumi";

/** Part mesh first: the others stand on it. */
export const PARTS: readonly ZoneName[] = ["mesh", "edge", "ops", "chain", "wallet"];

/** Settings besides those of `Pulumi.dev.yaml`. */
export type PartSettings = Readonly<Record<string, string>>;

export interface StateResource {
  readonly urn: string;
  readonly type: string;
  readonly inputs?: unknown;
  readonly outputs?: unknown;
}

/** `pulumi up` of a part, with the policy pack. Its failure is a result, not an error. */
export function up(part: ZoneName, settings: PartSettings = {}, ...args: readonly string[]): Promise<Run> {
  return run(part, settings, "up", "--yes", "--skip-preview", "--policy-pack", "policies", ...args);
}

/** `pulumi preview` of a part, with the policy pack. */
export function preview(part: ZoneName, settings: PartSettings = {}, ...args: readonly string[]): Promise<Run> {
  return run(part, settings, "preview", "--policy-pack", "policies", ...args);
}

/** Takes a part away, with all that it made. */
export function destroy(part: ZoneName): Promise<Run> {
  return run(part, {}, "destroy", "--yes");
}

/** What a part's stack holds, secrets in clear text. */
export async function stateOf(part: ZoneName): Promise<readonly StateResource[]> {
  const { status, output } = await run(part, {}, "stack", "export", "--show-secrets");
  if (status !== 0) throw new Error(output);
  return (JSON.parse(output) as { deployment: { resources?: StateResource[] } }).deployment.resources ?? [];
}

async function run(part: ZoneName, settings: PartSettings, ...args: readonly string[]): Promise<Run> {
  const { env: common, stackDir, ...environment } = await pulumiEnvironment(stackTarget());
  // Each part's operators have a passphrase of their own.
  const env: NodeJS.ProcessEnv = { ...common, PULUMI_CONFIG_PASSPHRASE: `of part ${part}` };
  delete env.PULUMI_CONFIG_PASSPHRASE_FILE;
  const stack = ["--stack", `parts-${part}`, "--non-interactive", "--color", "never"];
  const folder = path.join(path.dirname(stackDir), "parts");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  copyFileSync(path.join(projectDir, "Pulumi.yaml"), path.join(folder, "Pulumi.yaml"));
  const config = configFile(folder, part, settings);
  const made = await runPulumi(["stack", "select", "--create", ...stack, "--cwd", folder], env);
  if (made.status !== 0) return made;
  const file = args[0] === "stack" ? [] : ["--config-file", config];
  return offeringConsul({ ...environment, env }, (offered) =>
    runPulumi([...args, ...stack, ...file], offered, args[0] === "stack" ? folder : projectDir),
  );
}

/** The committed configuration of the cluster, as a part's, with the salt that Pulumi wrote beside the last one. */
function configFile(folder: string, part: ZoneName, settings: PartSettings): string {
  const file = path.join(folder, `Pulumi.parts-${part}.yaml`);
  const salt = existsSync(file)
    ? (load(readFileSync(file, "utf8")) as { encryptionsalt?: string } | undefined)?.encryptionsalt
    : undefined;
  const { configFile: committed } = stackTarget();
  const config = stackConfig(readFileSync(committed, "utf8"), path.basename(committed));
  for (const [key, value] of Object.entries({ part, ...settings })) config[`lucid-mesh:${key}`] = value;
  writeFileSync(file, dump({ ...(salt === undefined ? {} : { encryptionsalt: salt }), config }), { mode: 0o600 });
  return file;
}
