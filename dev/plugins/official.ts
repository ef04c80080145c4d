import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { binDir, cacheDir, type Environment } from "../paths";
import type { PluginPackage } from "./packages";

/** Milliseconds that one download may take; a run has to go on without it on a machine that nothing can be downloaded to. */
const DOWNLOAD_LIMIT = 20_000;

/** Milliseconds for which a refused download isn't tried again. */
const REFUSAL_HOLDS = 12 * 3_600_000;

/** Why a download failed, by `name@version`. */
export type Refusals = Readonly<Record<string, { readonly at: string; readonly reason: string }>>;

/**
 * Whether the official plugin is there for Pulumi to find: in its folder of plugins, or on the `PATH`, where it goes before those.
 */
export function isInstalled({ name, version }: PluginPackage, env: Environment = process.env): boolean {
  const folder = path.join(pulumiHome(env), "plugins", `resource-${name}-v${version}`);
  // Pulumi leaves this file behind where it was ended in the midst of unpacking.
  const isWhole = fs.existsSync(path.join(folder, `pulumi-resource-${name}`)) && !fs.existsSync(`${folder}.partial`);
  // A run within a run has the stand-ins on its path already.
  const isOwn = (file: string): boolean => file.startsWith(path.join(cacheDir(env), "plugins") + path.sep);
  return isWhole || findOnPath(`pulumi-resource-${name}`, env).some((file) => !isOwn(file));
}

/** Tries to download what isn't installed, all at once; refusals are remembered. Returns the plugins that are there now. */
export async function download(
  plugins: readonly PluginPackage[],
  env: Environment = process.env,
): Promise<PluginPackage[]> {
  const pulumi = findPulumi(env);
  const file = path.join(cacheDir(env), "plugins", "refused.json");
  const remembered = readRefusals(file);
  const tries = plugins.filter((plugin) => !isRefused(remembered, plugin, Date.now()));
  if (pulumi === undefined || tries.length === 0) {
    return [];
  }
  const reasons = await Promise.all(tries.map(async (plugin) => await install(pulumi, plugin, env)));
  const refused = tries.flatMap((plugin, index): [string, Refusals[string]][] => {
    const reason = reasons[index];
    return reason === undefined ? [] : [[keyOf(plugin), { at: new Date().toISOString(), reason }]];
  });
  if (refused.length > 0) {
    writeWhole(file, `${JSON.stringify({ ...remembered, ...Object.fromEntries(refused) }, undefined, 2)}\n`);
  }
  return tries.filter((_, index) => reasons[index] === undefined);
}

/** Whether a download was refused so lately that it isn't tried again. A time to come (a clock put back) counts for nothing. */
export function isRefused(refusals: Refusals, plugin: PluginPackage, now: number): boolean {
  const at = Date.parse(refusals[keyOf(plugin)]?.at ?? "");
  return at <= now && now - at < REFUSAL_HOLDS;
}

/** Refusals on record; none where the file isn't there or was damaged. */
export function readRefusals(file: string): Refusals {
  try {
    const read: unknown = JSON.parse(fs.readFileSync(file, "utf8"));
    return typeof read === "object" && read !== null ? (read as Refusals) : {};
  } catch {
    return {};
  }
}

/** The folder in which Pulumi keeps its plugins. */
export function pulumiHome(env: Environment): string {
  return env.PULUMI_HOME !== undefined && env.PULUMI_HOME !== "" ? env.PULUMI_HOME : path.join(os.homedir(), ".pulumi");
}

function findPulumi(env: Environment): string | undefined {
  const built = path.join(binDir(env), "pulumi");
  return fs.existsSync(built) ? built : findOnPath("pulumi", env)[0];
}

function findOnPath(command: string, env: Environment): string[] {
  return (env.PATH ?? "")
    .split(path.delimiter)
    .filter((folder) => path.isAbsolute(folder))
    .map((folder) => path.join(folder, command))
    .filter((file) => isExecutable(file));
}

function isExecutable(file: string): boolean {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}

/** Has Pulumi download a plugin; resolves to the reason why it couldn't. */
async function install(
  pulumi: string,
  { name, version }: PluginPackage,
  env: Environment,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn(pulumi, ["plugin", "install", "resource", name, version], {
      env: { ...env, PULUMI_SKIP_UPDATE_CHECK: "true" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    const take = (chunk: string): void => {
      output += chunk;
    };
    child.stdout.setEncoding("utf8").on("data", take);
    child.stderr.setEncoding("utf8").on("data", take);
    const limit = setTimeout(() => {
      child.kill("SIGKILL");
    }, DOWNLOAD_LIMIT);
    child.on("error", (error) => {
      clearTimeout(limit);
      resolve(error.message);
    });
    child.on("close", (code) => {
      clearTimeout(limit);
      const late = `no answer within ${String(DOWNLOAD_LIMIT / 1000)} s`;
      resolve(code === 0 ? undefined : (output.trim().split("\n").at(-1) ?? "") || late);
    });
  });
}

function keyOf({ name, version }: PluginPackage): string {
  return `${name}@${version}`;
}

/** Writes a file that other runs may be reading. */
function writeWhole(file: string, text: string): void {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const draft = `${file}.${String(process.pid)}`;
  fs.writeFileSync(draft, text);
  fs.renameSync(draft, file);
}
