import type { ConfigValues } from "../protocol/config";
import type { Mutability } from "./replacement";

/** Arguments that the provider of the SDK can send. Those of rendering and Helm are taken and refused where they would matter. */
export const CONFIG_KEYS: readonly string[] = [
  "alwaysRender",
  "cluster",
  "clusterIdentifier",
  "context",
  "deleteUnreachable",
  "enableConfigMapMutable",
  "enablePatchForce",
  "enableSecretMutable",
  "enableServerSideApply",
  "helmReleaseSettings",
  "kubeClientSettings",
  "kubeconfig",
  "namespace",
  "renderYamlToDirectory",
  "skipUpdateUnreachable",
  "strictMode",
  "suppressDeprecationWarnings",
  "suppressHelmHookWarnings",
  "upsertExistingObjects",
];

/** How the provider is to behave. */
export interface Settings {
  /** Path or text of a kubeconfig; `undefined`: what `kubectl` would take. */
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
  readonly cluster: string | undefined;
  readonly namespace: string | undefined;
  readonly serverSideApply: boolean;
  readonly mutable: Mutability;
  /** Takes fields from other managers, instead of failing with the conflict. */
  readonly patchForce: boolean;
  /** A create takes over an object that is already there. */
  readonly upsert: boolean;
  /** With no cluster in reach: refresh and destroy drop objects from the state. */
  readonly deleteUnreachable: boolean;
  /** With no cluster in reach: nothing is changed and nothing fails. */
  readonly skipUpdateUnreachable: boolean;
  /** Limit of one request, in seconds; `undefined`: none. */
  readonly requestTimeoutSeconds: number | undefined;
}

/** Reads the provider's arguments; what isn't given comes from the official provider's environment variables. */
export function readSettings(config: ConfigValues, env: NodeJS.ProcessEnv): Settings {
  const flag = (key: string, variable: string, fallback: boolean): boolean =>
    config.boolean(key) ?? (env[variable] === undefined ? fallback : env[variable] === "true");
  if (config.string("renderYamlToDirectory") !== undefined) {
    throw new Error(
      'the argument "renderYamlToDirectory" is not implemented by this stand-in of the Kubernetes plugin; take it out of the provider',
    );
  }
  return {
    kubeconfig: kubeconfigText(config),
    context: config.string("context"),
    cluster: config.string("cluster"),
    namespace: config.string("namespace"),
    serverSideApply: flag("enableServerSideApply", "PULUMI_K8S_ENABLE_SERVER_SIDE_APPLY", true),
    mutable: {
      configMaps: flag("enableConfigMapMutable", "PULUMI_K8S_ENABLE_CONFIGMAP_MUTABLE", false),
      secrets: flag("enableSecretMutable", "PULUMI_K8S_ENABLE_SECRET_MUTABLE", false),
    },
    patchForce: flag("enablePatchForce", "PULUMI_K8S_ENABLE_PATCH_FORCE", false),
    upsert: flag("upsertExistingObjects", "PULUMI_K8S_UPSERT_EXISTING_OBJECTS", false),
    deleteUnreachable: flag("deleteUnreachable", "PULUMI_K8S_DELETE_UNREACHABLE", false),
    skipUpdateUnreachable: flag("skipUpdateUnreachable", "PULUMI_K8S_SKIP_UPDATE_UNREACHABLE", false),
    requestTimeoutSeconds: requestTimeout(config, env),
  };
}

/** The kubeconfig may come as an object too, where a program hands over a cluster's output as it is. */
function kubeconfigText(config: ConfigValues): string | undefined {
  const value = config.get("kubeconfig");
  return typeof value === "object" && value !== null ? JSON.stringify(value) : config.string("kubeconfig");
}

function requestTimeout(config: ConfigValues, env: NodeJS.ProcessEnv): number | undefined {
  const settings = config.json("kubeClientSettings");
  const given =
    typeof settings === "object" && settings !== null && "timeout" in settings ? settings.timeout : undefined;
  const seconds = Number(given ?? env.PULUMI_K8S_CLIENT_TIMEOUT);
  return Number.isFinite(seconds) && seconds > 0 ? seconds : undefined;
}
