import type { Command } from "commander";
import * as path from "node:path";
import { readProject, stackOf } from "../project";
import { CliError, STATUS } from "../exit-status";
import { CHECKS } from "./all";
import { ApiCluster } from "./cluster/api";
import { UnreachableError } from "./cluster/cluster";
import { Live } from "./cluster/live";
import { reachOf } from "./cluster/reach";
import type { CheckOptions } from "./command";
import type { CheckContext } from "./context";
import { Declared } from "./plan/declared";
import { holds, reportData, reportText } from "./report";
import { runChecks } from "./runner";
import { selected } from "./select";
import { untilHolds } from "./wait";

/**
 * `check`.
 *
 * @returns the exit status
 * @throws CliError where nothing can be told: the command line, the kubeconfig or the way to the cluster
 */
export async function runCheck(options: CheckOptions, command: Command): Promise<number> {
  // The project's folder is entered where the project is read; this one is where the command was given.
  const kubeconfig = options.kubeconfig === undefined ? undefined : path.resolve(options.kubeconfig);
  const declaration = declarationOf(command, kubeconfig !== undefined);
  const settings = declaration instanceof Declared ? declaration.settings : undefined;
  const checks = selected(CHECKS, options, settings?.discoveryBackend);
  const reach = reachOf(
    { ...(kubeconfig && { kubeconfig }), ...(options.context && { context: options.context }) },
    settings,
  );
  const stack = stackOf(command);
  const { context, server } = reach;

  const outcomes = await reached(
    untilHolds(
      () => {
        const cluster = new ApiCluster(reach.kubeConfig);
        const asked: CheckContext = {
          stack,
          declaration,
          reach,
          cluster,
          live: new Live(cluster),
          now: () => new Date(),
        };
        return runChecks(checks, asked);
      },
      options.wait ?? 0,
      (text) => {
        if (process.stderr.isTTY) console.error(text);
      },
    ),
  );
  const report = { stack, cluster: { context, server }, time: new Date(), outcomes };
  console.log(options.json === true ? JSON.stringify(reportData(report), undefined, 2) : reportText(report));
  return holds(outcomes) ? STATUS.done : STATUS.refused;
}

/**
 * What the stack declares, or why that can't be read.
 *
 * @param hasCluster whether there is something to be said without it
 * @throws CliError
 */
function declarationOf(command: Command, hasCluster: boolean): Declared | CliError {
  try {
    const { mesh, settings } = readProject(command, new Date().toISOString());
    return new Declared(mesh, settings);
  } catch (error) {
    if (error instanceof CliError && hasCluster) return error;
    throw error;
  }
}

/** @throws CliError where the cluster can't be reached */
async function reached<T>(outcomes: Promise<T>): Promise<T> {
  try {
    return await outcomes;
  } catch (error) {
    if (error instanceof UnreachableError)
      throw new CliError(
        `${error.message}; see that the cluster is up and the kubeconfig right (\`kubectl version\` asks the same)`,
      );
    throw error;
  }
}
