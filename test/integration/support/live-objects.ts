/** What the evaluator of reachability reads of a cluster. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { kubeconfigPath } from "../../../dev/paths";
import { toolPath } from "./tool-path";

const KINDS =
  "namespaces,networkpolicies,deployments,statefulsets,daemonsets,jobs,cronjobs,pods,configmaps,serviceaccounts";
const MOST_BYTES = 64 * 2 ** 20;

const run = promisify(execFile);

/** The objects that decide who reaches whom, as the cluster holds them now, in JSON. */
export async function liveObjects(): Promise<string> {
  const args = ["--kubeconfig", kubeconfigPath, "get", KINDS, "--all-namespaces", "--output", "json"];
  return (await run(toolPath("kubectl"), args, { maxBuffer: MOST_BYTES })).stdout;
}
