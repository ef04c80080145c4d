import * as fs from "node:fs";

import { run } from "./command";

const policyFile = "/usr/sbin/policy-rc.d";
/** By this line a file left by a killed run is known as ours. */
const mark = "# lucid-mesh: no service may start while its packages are installed";
/** What a file of somebody else's is kept as meanwhile. */
const setAside = `${policyFile}.before-lucid-mesh`;

/**
 * Does `work` while the packages it installs can't start their daemons: the cluster runs its own in namespaces of its
 * own, and nothing of it belongs on the host's network. Debian asks `policy-rc.d` before each start; exit 101 is no.
 */
export async function withoutServiceStarts<T>(work: () => Promise<T>): Promise<T> {
  restorePolicy(); // of a killed run
  if (fs.existsSync(policyFile)) {
    fs.renameSync(policyFile, setAside);
  }
  fs.writeFileSync(policyFile, `#!/bin/sh\n${mark}\nexit 101\n`, { mode: 0o755 });
  process.once("exit", restorePolicy);
  try {
    return await work();
  } finally {
    process.off("exit", restorePolicy);
    restorePolicy();
  }
}

function restorePolicy(): void {
  if (fs.existsSync(policyFile) && fs.readFileSync(policyFile, "utf8").includes(mark)) {
    fs.rmSync(policyFile);
  }
  if (fs.existsSync(setAside) && !fs.existsSync(policyFile)) {
    fs.renameSync(setAside, policyFile);
  }
}

/** What of `files` starts with the machine: systemd units and init scripts, by name. */
export function servicesAmong(files: readonly string[]): { readonly units: string[]; readonly scripts: string[] } {
  const units = new Set<string>();
  const scripts = new Set<string>();
  for (const file of files) {
    const unit = /^(?:\/usr)?\/lib\/systemd\/system\/([^/@]+\.(?:service|socket|timer|path))$/.exec(file)?.[1];
    const script = /^\/etc\/init\.d\/([^/]+)$/.exec(file)?.[1];
    if (unit !== undefined) {
      units.add(unit);
    }
    if (script !== undefined) {
      scripts.add(script);
    }
  }
  return { units: [...units].sort(), scripts: [...scripts].sort() };
}

/**
 * Takes the services of these packages out of the machine's start. For packages just added: a service that the user
 * had before is the user's.
 */
export async function disableServices(packages: readonly string[]): Promise<void> {
  if (packages.length === 0) {
    return;
  }
  const listed = await run("dpkg", ["--listfiles", ...packages]);
  const { units, scripts } = servicesAmong(listed.stdout.split("\n"));
  // With --root these are changes of links alone: they need no running systemd. Where a tool is missing, so is what
  // would start the service.
  for (const unit of units) {
    await run("systemctl", ["--root=/", "disable", "--quiet", unit]);
  }
  for (const script of scripts) {
    await run("update-rc.d", [script, "disable"]);
  }
}
