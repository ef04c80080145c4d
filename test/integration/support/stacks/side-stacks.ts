/** Stacks beside the deployed one, in its backend: each with a configuration and a passphrase of its own. */
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { dump, load } from "js-yaml";
import { offeringConsul } from "../../../../dev/consul-forward";
import { projectDir, pulumiEnvironment } from "../../../../dev/pulumi-environment";
import { stackConfig, stackTarget } from "../../../../dev/stack";
import { runPulumi, type Run } from "../../../run-pulumi";

export interface SideStack {
  readonly name: string;
  /** Beside the backend's project: where its configuration stands. */
  readonly folder: string;
  readonly passphrase: string;
  /** Keys besides those of `Pulumi.dev.yaml`, without the project's prefix. */
  readonly settings: Readonly<Record<string, string>>;
  /** Of the cluster that it deploys to. Default: the usual one. */
  readonly kubeconfig?: string;
}

/** Runs Pulumi on such a stack, which is made where it isn't there. A failure is a result, not an error. */
export async function runOn(
  { name, folder: place, passphrase, settings, kubeconfig }: SideStack,
  ...args: readonly string[]
): Promise<Run> {
  const { env: common, stackDir, ...environment } = await pulumiEnvironment(stackTarget());
  const env: NodeJS.ProcessEnv = { ...common, PULUMI_CONFIG_PASSPHRASE: passphrase };
  delete env.PULUMI_CONFIG_PASSPHRASE_FILE;
  const stack = ["--stack", name, "--non-interactive", "--color", "never"];
  const folder = path.join(path.dirname(stackDir), place);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  copyFileSync(path.join(projectDir, "Pulumi.yaml"), path.join(folder, "Pulumi.yaml"));
  const config = configFile(folder, name, settings);
  const made = await runPulumi(["stack", "select", "--create", ...stack, "--cwd", folder], env);
  if (made.status !== 0) return made;
  const file = args[0] === "stack" ? [] : ["--config-file", config];
  return offeringConsul({ ...environment, env, ...(kubeconfig === undefined ? {} : { kubeconfig }) }, (offered) =>
    runPulumi([...args, ...stack, ...file], offered, args[0] === "stack" ? folder : projectDir),
  );
}

/** The committed configuration of the cluster, as this stack's, with the salt that Pulumi wrote beside the last one. */
function configFile(folder: string, name: string, settings: Readonly<Record<string, string>>): string {
  const file = path.join(folder, `Pulumi.${name}.yaml`);
  const salt = existsSync(file)
    ? (load(readFileSync(file, "utf8")) as { encryptionsalt?: string } | undefined)?.encryptionsalt
    : undefined;
  const { configFile: committed } = stackTarget();
  const config = stackConfig(readFileSync(committed, "utf8"), path.basename(committed));
  for (const [key, value] of Object.entries(settings)) config[`lucid-mesh:${key}`] = value;
  writeFileSync(file, dump({ ...(salt === undefined ? {} : { encryptionsalt: salt }), config }), { mode: 0o600 });
  return file;
}
