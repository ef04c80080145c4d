import type { Command } from "commander";
import { spawn } from "node:child_process";
import * as path from "node:path";
import { ApiCluster } from "../check/cluster/api";
import { ClusterError, UnreachableError } from "../check/cluster/cluster";
import { openForward } from "../check/cluster/forward";
import { reachOf } from "../check/cluster/reach";
import { CliError, STATUS } from "../exit-status";
import { readProject } from "../project";
import type { StatusOptions } from "./command";
import { controllerPort, readOverview } from "./controller";
import { overviewText } from "./report";

/**
 * `status`.
 *
 * @returns the exit status
 * @throws CliError where nothing can be told
 */
export async function runStatus(options: StatusOptions, command: Command): Promise<number> {
  // The project's folder is entered where the project is read; this one is where the command was given.
  const kubeconfig = options.kubeconfig === undefined ? undefined : path.resolve(options.kubeconfig);
  const settings = kubeconfig === undefined ? readProject(command).settings : undefined;
  const named = { ...(kubeconfig && { kubeconfig }), ...(options.context && { context: options.context }) };
  const { kubeConfig } = reachOf(named, settings);
  const cluster = new ApiCluster(kubeConfig);
  try {
    const overview = await readOverview(cluster);
    const isWell = overview.mesh.state === "well";
    if (options.url === true || options.open === true) {
      const forward = await openForward(kubeConfig, () => controllerPort(cluster));
      const url = `http://127.0.0.1:${forward.port}/`;
      console.log(url);
      if (options.open === true) openInBrowser(url);
      await interrupted();
      forward.close();
    } else {
      console.log(options.json === true ? JSON.stringify(overview, undefined, 2) : overviewText(overview));
    }
    return isWell ? STATUS.done : STATUS.refused;
  } catch (error) {
    if (error instanceof CliError) throw error;
    if (error instanceof UnreachableError)
      throw new CliError(`${error.message}; see that the cluster is up and the kubeconfig right`);
    if (error instanceof ClusterError)
      throw new CliError(`${error.message}; listing the pods of lucid-mesh and forwarding ports to them is needed`);
    throw error instanceof Error ? new CliError(error.message) : error;
  }
}

/** By the desktop's own command; where there is none, the address was printed. */
function openInBrowser(url: string): void {
  const command = process.platform === "darwin" ? "open" : "xdg-open";
  const child = spawn(command, [url], { stdio: "ignore", detached: true });
  child.on("error", () => {
    console.error(`${command} is not there: open the address in a browser of yours`);
  });
  child.unref();
}

function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
  });
}
