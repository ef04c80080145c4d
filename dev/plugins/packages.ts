import { readFileSync } from "node:fs";
import * as path from "node:path";

import { checkoutDir } from "../paths";

/** One Pulumi provider that the mesh's program uses. */
export interface PluginPackage {
  /** Such as `kubernetes`. */
  readonly name: string;
  /** Of the plugin that the installed SDK asks for, such as `4.34.2`. */
  readonly version: string;
}

/** Providers of the mesh's program; each has a stand-in in the folder of its name. */
export const PLUGIN_NAMES = ["kubernetes", "tls", "random", "consul", "docker"] as const;

/** The package's file that says which plugin the installed SDK asks for. */
export function sdkManifest(name: string): string {
  return path.join(checkoutDir, "node_modules", "@pulumi", name, "package.json");
}

/** The plugins that the installed SDKs ask for. */
export function wantedPlugins(): PluginPackage[] {
  return PLUGIN_NAMES.map((name) => ({ name, version: pluginVersion(readFileSync(sdkManifest(name), "utf8")) }));
}

/** The plugin's version as the text of an SDK's `package.json` has it: in its `pulumi` part, else its own. */
export function pluginVersion(manifest: string): string {
  const { pulumi, version } = JSON.parse(manifest) as {
    readonly pulumi?: { readonly version?: string };
    readonly version: string;
  };
  return (pulumi?.version ?? version).replace(/^v/, "");
}
