import * as fs from "node:fs";

import { debianColdGigabytes, debianPackages, type DebianPackage } from "./catalog";
import { run, runLogged } from "./command";
import { Refusal, StepFailure } from "./failure";
import { disableServices, withoutServiceStarts } from "./services";
import type { Step, StepContext } from "./step";

const title = `Debian packages (${debianPackages
  .map((entry) => entry.package)
  .slice(0, 3)
  .join(", ")}, …)`;

const aptGet = [
  "-y",
  "--no-install-recommends",
  "-o", "DPkg::Lock::Timeout=600", // seconds; another installation may be under way
  "-o", "Acquire::Retries=3",
  "-o", "Acquire::http::Timeout=30",
  "-o", "Dpkg::Options::=--force-confdef",
  "-o", "Dpkg::Options::=--force-confold",
]; // prettier-ignore

/** Nobody is there to be asked. */
const environment = { DEBIAN_FRONTEND: "noninteractive", NEEDRESTART_SUSPEND: "1", LC_ALL: "C.UTF-8" } as const;

/** Upstream versions of the installed ones among `names`, by package. */
async function installedVersions(names: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const format = "${db:Status-Abbrev}|${binary:Package}|${Version}\\n";
  // Its exit code is 1 when one of them is unknown; the others are listed all the same.
  const result = await run("dpkg-query", ["--show", `--showformat=${format}`, ...names]);
  return parseInstalled(result.stdout);
}

/** Reads `dpkg-query`'s lines `ii |package[:arch]|version`; what isn't fully installed is left out. */
export function parseInstalled(lines: string): ReadonlyMap<string, string> {
  const versions = new Map<string, string>();
  for (const line of lines.split("\n")) {
    const [status = "", name = "", version = ""] = line.split("|");
    if (/^[ih]i/.test(status)) {
      versions.set(name.replace(/:.*/, ""), version.replace(/^\d+:/, ""));
    }
  }
  return versions;
}

/**
 * Images are published under the version of the program in them, so that version is checked.
 * @throws Refusal naming every package of another version
 */
export function checkVersions(packages: readonly DebianPackage[], installed: ReadonlyMap<string, string>): void {
  const wrong = packages.flatMap(({ package: name, version }) => {
    const found = installed.get(name);
    return version === undefined || found === undefined || found.startsWith(version)
      ? []
      : [`${name} is ${found}, not ${version}`];
  });
  if (wrong.length > 0) {
    throw new Refusal(`${wrong.join("; ")}: the embedded cluster needs the packages of Debian 12; use such a machine.`);
  }
}

/** The step that installs what is missing of {@link debianPackages}, and leaves no service of theirs running. */
export function debianStep(): Step {
  const names = debianPackages.map((entry) => entry.package);
  const missing = async () => {
    const installed = await installedVersions(names);
    checkVersions(debianPackages, installed);
    return names.filter((name) => !installed.has(name));
  };
  return {
    part: "debian",
    title,
    lane: "debian",
    coldMinutes: 2,
    coldGigabytes: debianColdGigabytes,
    isReady: async () => (await missing()).length === 0,
    check: checkApt,
    work: async (context) => {
      await install(await missing(), context);
      const left = await missing();
      if (left.length > 0) {
        throw new StepFailure(
          title,
          [`apt-get succeeded, but these are not installed: ${left.join(" ")}`],
          context.logFile,
        );
      }
    },
  };
}

async function checkApt(): Promise<void> {
  if ((await run("apt-get", ["--version"])).code !== 0) {
    throw new Refusal(
      "apt-get is missing: the embedded cluster takes its packages from Debian 12; use such a machine.",
    );
  }
  if (process.getuid?.() !== 0) {
    throw new Refusal("Debian packages must be installed, which only root may do: run this again as root (sudo -E …).");
  }
}

async function install(names: readonly string[], context: StepContext): Promise<void> {
  // Not stopped half-way by another step's failure: dpkg would be left to be repaired.
  const apt = (...args: string[]) =>
    runLogged({ step: title, logFile: context.logFile, command: "apt-get", args, env: environment });
  const known = await allPackages();
  await withoutServiceStarts(async () => {
    // An earlier run may have been killed in the middle; without one this does nothing.
    await runLogged({
      step: title,
      logFile: context.logFile,
      command: "dpkg",
      args: ["--configure", "-a", "--force-confdef", "--force-confold"],
      env: environment,
    });
    let fresh = false;
    if (!hasPackageLists()) {
      context.running.note("fetching the package lists");
      await apt("update", ...aptGet);
      fresh = true;
    }
    context.running.note(`installing ${names.join(" ")}`);
    try {
      await apt("install", ...aptGet, ...names);
    } catch (error) {
      if (fresh) {
        throw error;
      }
      // Lists grow old: what they name may be gone from the mirror.
      context.running.note("fetching newer package lists");
      await apt("update", ...aptGet);
      context.running.note(`installing ${names.join(" ")}`);
      await apt("install", ...aptGet, ...names);
    }
    const added = [...(await allPackages())].filter((name) => !known.has(name));
    await disableServices(added);
  });
}

async function allPackages(): Promise<ReadonlySet<string>> {
  return new Set((await installedVersions([])).keys());
}

function hasPackageLists(): boolean {
  const folder = "/var/lib/apt/lists";
  return fs.existsSync(folder) && fs.readdirSync(folder).some((file) => /_Packages(\.\w+)?$/.test(file));
}
