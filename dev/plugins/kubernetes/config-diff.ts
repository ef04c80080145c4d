import type { DiffResult, PropertyDiff } from "../protocol/provider";
import { isDeepStrictEqual } from "node:util";

import { ConfigValues } from "../protocol/config";
import { containsUnknowns, type Properties, sameValue } from "../protocol/values";
import { activeCluster, kubeconfigText, parseKubeconfig } from "./kubeconfig";

/** Arguments that decide which cluster the provider speaks to. */
const CLUSTER_KEYS = ["kubeconfig", "context", "cluster"] as const;

/**
 * Compares a provider's arguments. The provider, and with it every object, is replaced only when the cluster it points to becomes
 * another one: other credentials, another path to an equal kubeconfig, or another setting are no reason. `clusterIdentifier`, where
 * it is given, alone says which cluster it is.
 *
 * Throws where a kubeconfig that has to be compared can't be read.
 */
export function diffConfig(olds: Properties, news: Properties): DiffResult {
  const changed = [...new Set([...Object.keys(olds), ...Object.keys(news)])].filter(
    (key) => !sameValue(olds[key], news[key]),
  );
  if (changed.length === 0) {
    return {};
  }
  return result(changed, new Set(replacingKeys(changed, olds, news)));
}

function replacingKeys(changed: readonly string[], olds: Properties, news: Properties): readonly string[] {
  const identifier = "clusterIdentifier";
  if (olds[identifier] !== undefined && news[identifier] !== undefined) {
    return changed.includes(identifier) ? [identifier] : [];
  }
  // What isn't known yet may be any cluster.
  const unknown = CLUSTER_KEYS.filter((key) => containsUnknowns(news[key]));
  if (unknown.length > 0) {
    return unknown;
  }
  if (changed.includes("renderYamlToDirectory")) {
    return ["renderYamlToDirectory"];
  }
  const before = clusterOf(olds);
  const after = clusterOf(news);
  const isOther = before !== undefined && after !== undefined && !isDeepStrictEqual(before, after);
  return isOther ? CLUSTER_KEYS.filter((key) => changed.includes(key)) : [];
}

function clusterOf(properties: Properties): unknown {
  const config = new ConfigValues(properties);
  const given = config.get("kubeconfig");
  if (given === undefined || given === "") {
    return undefined;
  }
  const text = typeof given === "string" ? kubeconfigText(given) : JSON.stringify(given);
  try {
    return activeCluster(parseKubeconfig(text), {
      context: config.string("context"),
      cluster: config.string("cluster"),
    });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`failed to parse kubeconfig: ${why}`, { cause: error });
  }
}

function result(changed: readonly string[], replacing: ReadonlySet<string>): DiffResult {
  const detailedDiff = Object.fromEntries(
    changed.map((key): [string, PropertyDiff] => [key, { kind: replacing.has(key) ? "update-replace" : "update" }]),
  );
  return { detailedDiff, changes: true, replaces: [...replacing] };
}
