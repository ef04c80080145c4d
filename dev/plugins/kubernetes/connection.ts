import { ApiClient } from "./api-client";
import { Discovery } from "./discovery";
import { loadKubeconfig } from "./kubeconfig";
import type { Settings } from "./settings";

/** A cluster that answers. */
export interface Reachable {
  readonly reachable: true;
  readonly api: ApiClient;
  readonly discovery: Discovery;
  /** For objects that name no namespace; "" leaves them so. */
  readonly defaultNamespace: string;
}

/** No cluster: previews work from the inputs alone, everything else fails with the reason. */
export interface Unreachable {
  readonly reachable: false;
  readonly reason: string;
  readonly defaultNamespace: string;
}

export type Connection = Reachable | Unreachable;

/** Milliseconds within which the API server must give its first answer. */
const FIRST_ANSWER = 10_000;

/** Finds the cluster. Never throws for a cluster that isn't there: a preview is to work without one. */
export async function connect(settings: Settings): Promise<Connection> {
  let config;
  try {
    config = loadKubeconfig(settings);
  } catch (error) {
    return {
      reachable: false,
      reason: `failed to parse kubeconfig data in \`kubernetes:config:kubeconfig\`: ${messageOf(error)}`,
      defaultNamespace: settings.namespace ?? "",
    };
  }
  const defaultNamespace =
    settings.namespace ?? (config.getContextObject(config.getCurrentContext())?.namespace || "default");
  try {
    const timeout = settings.requestTimeoutSeconds === undefined ? undefined : settings.requestTimeoutSeconds * 1000;
    const api = new ApiClient(config, timeout);
    const discovery = new Discovery(api);
    await discovery.probe(Math.min(timeout ?? FIRST_ANSWER, FIRST_ANSWER));
    return { reachable: true, api, discovery, defaultNamespace };
  } catch (error) {
    return {
      reachable: false,
      reason: `unable to load schema information from the API server: ${messageOf(error)}`,
      defaultNamespace,
    };
  }
}

/** An error's text; a failed connection to several addresses has its texts inside. */
function messageOf(error: unknown): string {
  if (error instanceof AggregateError) {
    return error.errors.map(messageOf).join("; ");
  }
  return error instanceof Error ? error.message : String(error);
}
