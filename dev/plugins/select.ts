import * as path from "node:path";

import { bundleStandIns } from "./bundle";
import { download, isInstalled } from "./official";
import { type PluginPackage, wantedPlugins } from "./packages";

/** The plugins that a run uses. */
export interface PreparedPlugins {
  /** Folders with the stand-ins in use, as a part of a `PATH`; empty where every plugin is the official one. */
  readonly pathPrefix: string;
  /** One line that names every plugin in use. */
  readonly summary: string;
}

/**
 * Sees to it that Pulumi finds a plugin for every provider of the program: the official one where it is installed or can be
 * downloaded, else the stand-in of this folder.
 *
 * A plugin on the `PATH` goes before an installed one, so a stand-in is put there only for want of the official one.
 * @throws Error when a stand-in can't be bundled
 */
export async function preparePlugins(): Promise<PreparedPlugins> {
  const wanted = wantedPlugins();
  const absent = wanted.filter((plugin) => !isInstalled(plugin));
  const downloaded = absent.length === 0 ? [] : await download(absent);
  const standIns = absent.filter((plugin) => !downloaded.includes(plugin));
  const folders = standIns.length === 0 ? [] : await bundleStandIns(standIns.map(({ name }) => name));
  return { pathPrefix: folders.join(path.delimiter), summary: describePlugins(wanted, standIns) };
}

/** The line that a run shows. */
export function describePlugins(wanted: readonly PluginPackage[], standIns: readonly PluginPackage[]): string {
  const each = wanted.map((plugin) => {
    const kind = standIns.includes(plugin) ? "stand-in" : "official";
    return `${plugin.name} ${plugin.version} (${kind})`;
  });
  const why = standIns.length === 0 ? "" : " – official ones can't be downloaded here; see dev/plugins/README.md";
  return `plugins: ${each.join(", ")}${why}`;
}
