import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

import { KubeConfig } from "@kubernetes/client-node";
import { load } from "js-yaml";

import type { Settings } from "./settings";

/** A kubeconfig as written, as far as its cluster matters. */
interface RawKubeconfig {
  readonly "current-context"?: string;
  readonly contexts?: readonly { readonly name: string; readonly context?: { readonly cluster?: string } }[];
  readonly clusters?: readonly { readonly name: string; readonly cluster?: unknown }[];
}

/**
 * The text of a kubeconfig that is given as text, or as the path of a file (`~/` is the home directory; a relative path starts at the
 * project's directory). A path at which nothing is, is taken for text, and {@link parseKubeconfig} then says so.
 */
export function kubeconfigText(pathOrText: string): string {
  const path = pathOrText === "~" || pathOrText.startsWith("~/") ? join(homedir(), pathOrText.slice(1)) : pathOrText;
  return existsSync(path) ? readFileSync(path, "utf8") : pathOrText;
}

/** Reads a kubeconfig's text. */
export function parseKubeconfig(text: string): RawKubeconfig {
  const parsed: unknown = load(text);
  if (typeof parsed !== "object" || parsed === null) {
    throw new Error(
      text.includes("\n")
        ? "it is no kubeconfig: a mapping with clusters, contexts and users is expected"
        : `no file is at ${JSON.stringify(text)}, and it is no kubeconfig either`,
    );
  }
  return parsed;
}

/** The cluster that a kubeconfig points to, as written; `undefined` where it points to none. */
export function activeCluster(config: RawKubeconfig, overrides: Pick<Settings, "context" | "cluster">): unknown {
  const contextName = overrides.context ?? config["current-context"];
  const context = config.contexts?.find(({ name }) => name === contextName)?.context;
  const clusterName = overrides.cluster ?? context?.cluster;
  return context && config.clusters?.find(({ name }) => name === clusterName)?.cluster;
}

/**
 * The credentials to use. Throws where there is no such file, context or cluster: the caller then goes on without a cluster.
 */
export function loadKubeconfig(settings: Settings): KubeConfig {
  const config = new KubeConfig();
  if (settings.kubeconfig === undefined) {
    config.loadFromDefault();
    // What the library falls back to; nobody serves the API there unprotected.
    if (config.getCurrentCluster()?.server === "http://localhost:8080") {
      throw new Error(
        "none is given to the provider, by KUBECONFIG, in ~/.kube/config or by a surrounding Pod; give the provider one",
      );
    }
  } else {
    const text = kubeconfigText(settings.kubeconfig);
    parseKubeconfig(text);
    config.loadFromString(text);
  }
  if (settings.context !== undefined) {
    config.setCurrentContext(settings.context);
  }
  const context = config.getContextObject(config.getCurrentContext());
  if (context === null) {
    throw new Error(`the context ${JSON.stringify(config.getCurrentContext())} does not exist`);
  }
  if (settings.cluster !== undefined) {
    const { cluster } = settings;
    config.contexts = config.contexts.map((other) => (other.name === context.name ? { ...other, cluster } : other));
  }
  if (config.getCurrentCluster() === null) {
    throw new Error(`the cluster ${JSON.stringify(settings.cluster ?? context.cluster)} does not exist`);
  }
  return config;
}
