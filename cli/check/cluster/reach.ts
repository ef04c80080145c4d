/** Which cluster is checked. */
import { KubeConfig } from "@kubernetes/client-node";
import { existsSync } from "node:fs";
import type { Settings } from "../../../components/stack/settings";
import { CliError } from "../../exit-status";

export interface ReachOptions {
  readonly kubeconfig?: string;
  readonly context?: string;
}

/** A way to a cluster. */
export interface Reach {
  readonly kubeConfig: KubeConfig;
  readonly context: string;
  /** Address of its API server. */
  readonly server: string;
  /** The one that the stack deploys to, where another may be checked. */
  readonly stacks?: { readonly context: string; readonly server: string };
}

/**
 * The cluster that the command line names, or else the stack's.
 *
 * @param settings the stack's; undefined where they can't be read
 * @throws CliError where a kubeconfig or context isn't there
 */
export function reachOf(options: ReachOptions, settings: Pick<Settings, "kubeconfig" | "context"> | undefined): Reach {
  const { kubeconfig, context } = options;
  if (kubeconfig === undefined && context === undefined) return reach(settings ?? {}, "the stack names");
  // The stack's context is one of its own kubeconfig.
  const named = kubeconfig === undefined ? { kubeconfig: settings?.kubeconfig, context } : { kubeconfig, context };
  const reached = reach(named, "--kubeconfig or --context names");
  if (settings === undefined) return reached;
  return { ...reached, stacks: tryReach(settings) };
}

function tryReach(settings: ReachOptions): Reach["stacks"] {
  try {
    const { context, server } = reach(settings, "the stack names");
    return { context, server };
  } catch (error) {
    if (error instanceof CliError)
      return { context: settings.context ?? "current", server: "its kubeconfig is not there" };
    throw error;
  }
}

function reach({ kubeconfig, context }: ReachOptions, who: string): Reach {
  const kubeConfig = new KubeConfig();
  try {
    if (kubeconfig === undefined) kubeConfig.loadFromDefault();
    else if (existsSync(kubeconfig)) kubeConfig.loadFromFile(kubeconfig);
    else
      throw new CliError(
        `${kubeconfig}, the kubeconfig that ${who}, is not there; \`npm start\` makes the embedded cluster, another is named in Pulumi.<stack>.yaml or by --kubeconfig`,
      );
  } catch (error) {
    if (error instanceof CliError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new CliError(
      `${kubeconfig ?? "the ambient kubeconfig"} can't be read (${reason}); mend it, or name another by --kubeconfig`,
    );
  }
  if (context !== undefined) {
    if (kubeConfig.getContextObject(context) === null) {
      const known = kubeConfig.getContexts().map(({ name }) => name);
      throw new CliError(
        `the kubeconfig has no context ${context}, which ${who}; it has ${known.join(", ") || "none"}`,
      );
    }
    kubeConfig.setCurrentContext(context);
  }
  const server = kubeConfig.getCurrentCluster()?.server;
  if (server === undefined)
    throw new CliError("the kubeconfig names no cluster; name another file by --kubeconfig, or a context by --context");
  return { kubeConfig, context: kubeConfig.getCurrentContext(), server };
}
