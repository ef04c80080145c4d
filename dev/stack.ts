import { YAMLException, load } from "js-yaml";
import { existsSync, readFileSync } from "node:fs";
import * as path from "node:path";
import { checkoutDir, kubeconfigPath } from "./paths";
import { UsageError } from "./usage-error";

/** Which cluster a stack deploys to and what the tools ask there, as its configuration says. */
export interface StackTarget {
  readonly stack: string;
  /** `Pulumi.<stack>.yaml`. */
  readonly configFile: string;
  /** The stack names the embedded cluster's kubeconfig; otherwise nothing of `dev/` is started for it. */
  readonly embedded: boolean;
  /** The discovery backend that it names, or the usual one. Whether there is such a one is for the program to say. */
  readonly discoveryBackend: "consul" | "etcd";
}

/** Name of the stack that is meant where none is said. */
export const DEFAULT_STACK = "dev";

/**
 * Reads which cluster a stack names.
 *
 * @throws UsageError where the stack's configuration is missing or is no YAML map.
 */
export function stackTarget(stack: string = DEFAULT_STACK): StackTarget {
  const configFile = path.join(checkoutDir, `Pulumi.${stack}.yaml`);
  if (!existsSync(configFile)) {
    throw new UsageError(
      `Pulumi.${stack}.yaml is missing: make it (docs/configuration.md), or name another stack by --stack`,
    );
  }
  const config = stackConfig(readFileSync(configFile, "utf8"), path.basename(configFile));
  const discoveryBackend = config["lucid-mesh:discoveryBackend"] === "etcd" ? "etcd" : "consul";
  return { stack, configFile, embedded: namesEmbeddedCluster(config), discoveryBackend };
}

/** Whether a stack's configuration names the embedded cluster: its kubeconfig, and no context in it. */
export function namesEmbeddedCluster(config: Readonly<Record<string, unknown>>): boolean {
  const kubeconfig = config["lucid-mesh:kubeconfig"];
  const embedded = typeof kubeconfig === "string" && path.resolve(checkoutDir, kubeconfig) === kubeconfigPath;
  return embedded && config["lucid-mesh:context"] === undefined;
}

/**
 * The `config` map of a stack's file; empty where the file has none.
 *
 * @throws UsageError where the text is no YAML, or no map.
 */
export function stackConfig(text: string, file: string): Record<string, unknown> {
  const document = readYaml(text, file);
  if (isMap(document)) {
    const config = document.config ?? {};
    if (isMap(config)) return config;
  }
  throw new UsageError(`${file} has no map \`config\`; compare it with docs/configuration.md`);
}

function readYaml(text: string, file: string): unknown {
  try {
    return load(text);
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    const place = error.mark === undefined ? file : `${file}:${error.mark.line + 1}`;
    throw new UsageError(`${place} is not YAML that can be read: ${error.reason}; mend the text there`);
  }
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
