import * as os from "node:os";
import * as path from "node:path";

/**
 * Where the development environment keeps its files.
 *
 * The cache is shared by every clone of one user (tools are built once); the state belongs to the one embedded cluster of a
 * machine; only the kubeconfig lies inside the checkout, because the stack's configuration names it by a relative path.
 */

/** The variables that {@link cacheDir} and {@link stateDir} read. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Name of the embedded cluster that is meant, where several run beside each other: `$LUCID_MESH_CLUSTER`, a letter from `b` to `f`. Undefined for the usual one.
 *
 * @throws RangeError for another name
 */
export function clusterName(env: Environment = process.env): string | undefined {
  const name = env.LUCID_MESH_CLUSTER;
  if (name === undefined || name === "") return undefined;
  if (!/^[b-f]$/.test(name)) throw new RangeError(`LUCID_MESH_CLUSTER is ${name}: name it by a letter from b to f`);
  return name;
}

/** Root of this checkout, as an absolute path. */
export const checkoutDir: string = path.resolve(__dirname, "..");

/**
 * The user's cache of built and downloaded tools: `$LUCID_MESH_CACHE`, else `$XDG_CACHE_HOME/lucid-mesh`, else
 * `~/.cache/lucid-mesh`. It may be deleted at any time; the next run makes it anew.
 */
export function cacheDir(env: Environment = process.env): string {
  return userDir(env.LUCID_MESH_CACHE, env.XDG_CACHE_HOME, ".cache");
}

/**
 * State of the embedded cluster, the Pulumi file backend of its stack included: `$LUCID_MESH_STATE`, else
 * `$XDG_STATE_HOME/lucid-mesh`, else `~/.local/state/lucid-mesh`. Taking the cluster down removes it.
 */
export function stateDir(env: Environment = process.env): string {
  const usual = userDir(env.LUCID_MESH_STATE, env.XDG_STATE_HOME, path.join(".local", "state"));
  const name = clusterName(env);
  return name === undefined ? usual : `${usual}-${name}`;
}

/** Folder of ready-to-run tools, one name per tool: `<cache>/bin`. */
export function binDir(env: Environment = process.env): string {
  return path.join(cacheDir(env), "bin");
}

/** Folder of build and download logs, one file per step: `<cache>/logs`. */
export function logsDir(env: Environment = process.env): string {
  return path.join(cacheDir(env), "logs");
}

/** The embedded cluster's kubeconfig, `<checkout>/.state/kubeconfig`, of another one `<checkout>/.state/<name>/kubeconfig`; ignored by git. */
export const kubeconfigPath: string = path.join(checkoutDir, ".state", clusterName() ?? "", "kubeconfig");

function userDir(own: string | undefined, xdg: string | undefined, fallback: string): string {
  if (own !== undefined && own !== "") {
    return path.resolve(own);
  }
  // The XDG specification says that a relative path there is to be ignored.
  const base = xdg !== undefined && path.isAbsolute(xdg) ? xdg : path.join(os.homedir(), fallback);
  return path.join(base, "lucid-mesh");
}
