import { dump, load } from "js-yaml";
import { randomBytes } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { CONSUL_FORWARD_PORT } from "../components/stack/settings";
import { binDir, checkoutDir, stateDir } from "./paths";
import { preparePlugins } from "./plugins/select";
import type { StackTarget } from "./stack";
import { stackConfig } from "./stack";

/** Folder in which Pulumi runs. */
export const projectDir = checkoutDir;

/** How Pulumi is called for a stack. */
export interface PulumiEnvironment {
  readonly env: NodeJS.ProcessEnv;
  /** Names the stack; understood by every command that works on one. */
  readonly stackArgs: readonly string[];
  /** Names its configuration besides; for the commands that run or read the program's configuration. */
  readonly configArgs: readonly string[];
  /** Folder in which the stack is made: Pulumi writes the salt of its passphrase into the configuration it finds there. */
  readonly stackDir: string;
  /** Port on 127.0.0.1 at which the program has Consul, where that is the embedded cluster's. */
  readonly consulPort?: number;
  /** Folder of the file backend, where that is the embedded cluster's. */
  readonly backendDir?: string;
  /** One line: the provider plugins in use. */
  readonly plugins: string;
}

/**
 * The environment in which Pulumi runs for a stack. For the embedded cluster: the pinned CLI, plugins, and a file backend that lives and dies with
 * the cluster. For any other: the user's own backend and passphrase, as with plain `pulumi`.
 */
export async function pulumiEnvironment(target: StackTarget): Promise<PulumiEnvironment> {
  const plugins = await preparePlugins();
  const searchPath = [plugins.pathPrefix, process.env.PATH, binDir()].filter(
    (part) => part !== undefined && part !== "",
  );
  const common = { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true", PULUMI_NODEJS_TRANSPILE_ONLY: "true" };
  if (!target.embedded) {
    return {
      env: { ...common, PATH: searchPath.join(path.delimiter) },
      stackArgs: ["--stack", target.stack],
      configArgs: [],
      stackDir: projectDir,
      plugins: plugins.summary,
    };
  }
  const backend = path.join(stateDir(), "pulumi");
  const stackDir = path.join(backend, "project");
  mkdirSync(stackDir, { recursive: true, mode: 0o700 });
  copyFileSync(path.join(projectDir, "Pulumi.yaml"), path.join(stackDir, "Pulumi.yaml"));
  return {
    env: {
      ...common,
      PATH: [plugins.pathPrefix, binDir(), process.env.PATH]
        .filter((part) => part !== undefined && part !== "")
        .join(path.delimiter),
      PULUMI_BACKEND_URL: `file://${backend}`,
      PULUMI_CONFIG_PASSPHRASE_FILE: passphraseFile(backend),
    },
    stackArgs: ["--stack", target.stack],
    configArgs: ["--config-file", embeddedConfigFile(target, stackDir)],
    stackDir,
    backendDir: backend,
    ...(target.discoveryBackend === "consul" && { consulPort: consulPort(target) }),
    plugins: plugins.summary,
  };
}

/** As the stack sets it, or the usual one. Whether it is a port is for the program to say. */
function consulPort({ configFile }: StackTarget): number {
  const config = stackConfig(readFileSync(configFile, "utf8"), path.basename(configFile));
  return Number(config["lucid-mesh:consulForwardPort"] ?? CONSUL_FORWARD_PORT);
}

/** Passphrase of the embedded backend's secrets; made once, and lost with the backend. */
function passphraseFile(backend: string): string {
  const file = path.join(backend, "passphrase");
  if (!existsSync(file)) writeFileSync(file, randomBytes(32).toString("base64"), { mode: 0o600 });
  return file;
}

/**
 * A copy of the stack's configuration beside the backend: Pulumi writes the salt of the passphrase into the file it uses, and the committed one is not
 * to change by being used.
 */
function embeddedConfigFile(target: StackTarget, stackDir: string): string {
  const file = path.join(stackDir, path.basename(target.configFile));
  const config = stackConfig(readFileSync(target.configFile, "utf8"), path.basename(target.configFile));
  const previous: unknown = existsSync(file) ? load(readFileSync(file, "utf8")) : undefined;
  const salt =
    typeof previous === "object" && previous !== null && "encryptionsalt" in previous
      ? { encryptionsalt: previous.encryptionsalt }
      : {};
  writeFileSync(file, dump({ ...salt, config }), { mode: 0o600 });
  return file;
}
