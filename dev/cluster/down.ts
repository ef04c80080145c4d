import * as fs from "node:fs";
import * as path from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { kubeconfigPath } from "../paths";
import { Progress, progressSettings, Refusal } from "../toolchain";
import { withLock } from "../toolchain/lock";
import { kill } from "./cgroups";
import { clusterTools, lockFile } from "./context";
import { environment, marker } from "./daemons";
import { hasCode } from "./errors";
import { requireRoot } from "./preflight";

/**
 * Takes the embedded cluster down: every process, and with them their namespaces, interfaces and mounts; the cgroups; and
 * the state, Pulumi's state of the stack on it included. The cache stays. Works on whatever a crash left, and does nothing
 * when there is no cluster.
 *
 * @throws Refusal when something can't be removed
 */
export async function clusterDown(options: { readonly progress?: Progress } = {}): Promise<void> {
  const progress = options.progress ?? new Progress(progressSettings("cluster"));
  requireRoot();
  const tools = clusterTools();
  const { cgroups, files } = tools;
  const waiting = (): void => {
    progress.say("another command is at work on the cluster; waiting for it to end");
  };
  await withLock(lockFile(tools), waiting, async () => {
    await progress.step("processes, namespaces and cgroups", async () => {
      await buried(await cgroups.destroy());
      for (const pid of markedProcesses(files.root)) {
        kill(pid);
      }
    });
    // A kubeconfig of another cluster, or one that a person put there, stays.
    if (readText(kubeconfigPath) === (readText(files.kubeconfig) ?? "")) {
      fs.rmSync(kubeconfigPath, { force: true });
      fs.rmSync(path.join(path.dirname(kubeconfigPath), "docker.sock"), { force: true });
    }
    await progress.step("state", () => removeState(files.root));
  });
}

function readText(file: string): string | undefined {
  try {
    return fs.readFileSync(file, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT")) {
      return undefined;
    }
    throw error;
  }
}

/** Waits a little until the dead are no longer listed; their parent, often the machine's init, may take its time. */
async function buried(pids: readonly number[]): Promise<void> {
  const end = Date.now() + 5_000;
  while (Date.now() < end && pids.some((pid) => fs.existsSync(`/proc/${String(pid)}`))) {
    await delay(100);
  }
}

/** Processes that a daemon's start left outside the cgroup, if it was ended in the very first moment. */
function markedProcesses(state: string): number[] {
  return fs
    .readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      const {
        [marker.process]: marked,
        [marker.state]: owner,
        [marker.configuration]: configuration,
      } = environment(pid);
      return marked === "1" && owner === state && configuration !== undefined;
    });
}

async function removeState(root: string): Promise<void> {
  const mounts = (): string[] =>
    fs
      .readFileSync("/proc/self/mountinfo", "utf8")
      .split("\n")
      .map((line) => line.split(" ")[4] ?? "")
      .filter((point) => point.startsWith(`${root}/`));
  if (mounts().length > 0) {
    throw new Refusal(`${mounts().join(", ")} is mounted by somebody else; unmount it and run the command again`);
  }
  const end = Date.now() + 20_000;
  for (;;) {
    try {
      await fs.promises.rm(root, { recursive: true, force: true });
      return;
    } catch (error) {
      // The kernel takes the machines' mounts away a moment after their last process.
      if (!hasCode(error, "EBUSY", "ENOTEMPTY") || Date.now() > end) {
        throw error;
      }
      await delay(100);
    }
  }
}
