import * as fs from "node:fs";
import * as path from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { Refusal } from "../toolchain";
import { hasCode } from "./errors";

/**
 * Every process of the cluster lives in a cgroup of the cluster's own, in every hierarchy, and keeps to it whatever it
 * forks: that is how leftovers of a crash are found, and why nothing else is ever killed.
 */
export class Cgroups {
  /**
   * @param hierarchies mount points of the cgroup hierarchies, version 1 and 2 alike
   * @param root name of the cluster's cgroup in each
   */
  constructor(
    private readonly hierarchies: readonly string[],
    readonly root: string,
  ) {}

  /** The hierarchies of this machine. @throws Refusal when there are none. */
  static ofThisMachine(root: string, mountinfo = fs.readFileSync("/proc/self/mountinfo", "utf8")): Cgroups {
    const hierarchies = cgroupMounts(mountinfo);
    if (hierarchies.length === 0) {
      throw new Refusal("no cgroup hierarchy is mounted; mount cgroups (/sys/fs/cgroup), the kubelet needs them");
    }
    return new Cgroups(hierarchies, root);
  }

  /** Makes `<root>/<names>` in every hierarchy and returns the directories. */
  ensure(...names: readonly string[]): string[] {
    return this.hierarchies.map((hierarchy) => {
      let parent = hierarchy;
      for (const name of [this.root, ...names]) {
        const directory = path.join(parent, name);
        fs.mkdirSync(directory, { recursive: true });
        inheritCpuset(parent, directory);
        parent = directory;
      }
      return parent;
    });
  }

  /** Gives a cgroup its share of the processors, in units where a single ordinary process has 1024. */
  setCpuShares(shares: number, ...names: readonly string[]): void {
    for (const directory of this.ensure(...names)) {
      const file = path.join(directory, "cpu.shares");
      if (fs.existsSync(file)) {
        fs.writeFileSync(file, String(shares));
      }
    }
  }

  /** Processes of `<root>/<names>`, those of its child groups included when `deep`. */
  processes(names: readonly string[], deep: boolean): number[] {
    const found = new Set<number>();
    for (const hierarchy of this.hierarchies) {
      const top = path.join(hierarchy, this.root, ...names);
      for (const directory of deep ? tree(top) : [top]) {
        for (const pid of readPids(directory)) {
          found.add(pid);
        }
      }
    }
    return [...found].sort((a, b) => a - b);
  }

  /** Names of the child groups of `<root>/<names>`. */
  children(...names: readonly string[]): string[] {
    const found = new Set<string>();
    for (const hierarchy of this.hierarchies) {
      for (const directory of subdirectories(path.join(hierarchy, this.root, ...names))) {
        found.add(path.basename(directory));
      }
    }
    return [...found].sort();
  }

  /** Bytes of memory that `<root>/<names>` holds, page cache apart; undefined where the kernel doesn't count it. */
  memory(...names: readonly string[]): number | undefined {
    for (const hierarchy of this.hierarchies) {
      const file = path.join(hierarchy, this.root, ...names, "memory.stat");
      if (fs.existsSync(file)) {
        // total_rss of version 1, anon of version 2: both count the whole subtree.
        const match = /^(?:total_rss|anon) (\d+)$/m.exec(fs.readFileSync(file, "utf8"));
        if (match?.[1] !== undefined) {
          return Number(match[1]);
        }
      }
    }
    return undefined;
  }

  /**
   * Kills every process of `<root>/<names>` and removes the group. Returns the processes killed; the dead may be seen
   * for a moment more, until their parent takes note.
   *
   * @throws Refusal when something is still there after 30 seconds.
   */
  async destroy(...names: readonly string[]): Promise<number[]> {
    const end = Date.now() + 30_000;
    const killed = new Set<number>();
    for (;;) {
      const pids = this.processes(names, true);
      for (const pid of pids) {
        kill(pid);
        killed.add(pid);
      }
      const left = pids.length === 0 ? this.removeDirectories(names) : [];
      if (pids.length === 0 && left.length === 0) {
        return [...killed];
      }
      if (Date.now() > end) {
        const what = pids.length > 0 ? `processes ${pids.slice(0, 10).join(", ")}` : `cgroup ${left.join(", ")}`;
        throw new Refusal(`${what} would not go; see 'cat /proc/<pid>/stack' and run the command again`);
      }
      await delay(50);
    }
  }

  private removeDirectories(names: readonly string[]): string[] {
    const left: string[] = [];
    for (const hierarchy of this.hierarchies) {
      for (const directory of tree(path.join(hierarchy, this.root, ...names)).reverse()) {
        try {
          fs.rmdirSync(directory);
        } catch (error) {
          // EBUSY: the kernel still buries the last process.
          if (!hasCode(error, "ENOENT")) {
            left.push(directory);
          }
        }
      }
    }
    return left;
  }
}

/** Mount points of cgroup hierarchies in the text of `/proc/<pid>/mountinfo`. */
export function cgroupMounts(mountinfo: string): string[] {
  const points = new Set<string>();
  for (const line of mountinfo.split("\n")) {
    const [mount, source] = line.split(" - ");
    const type = source?.split(" ")[0];
    const point = mount?.split(" ")[4];
    if (point !== undefined && (type === "cgroup" || type === "cgroup2")) {
      points.add(point);
    }
  }
  return [...points].sort();
}

/** Sends SIGKILL (or another signal); a process that is gone already is no error. */
export function kill(pid: number, signal: NodeJS.Signals = "SIGKILL"): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!hasCode(error, "ESRCH")) {
      throw error;
    }
  }
}

/** A new cpuset of version 1 is empty, and takes no process until it is filled. */
function inheritCpuset(parent: string, directory: string): void {
  for (const name of ["cpuset.cpus", "cpuset.mems"]) {
    const file = path.join(directory, name);
    if (fs.existsSync(file) && fs.existsSync(path.join(parent, "cpuset.sched_load_balance"))) {
      if (fs.readFileSync(file, "utf8").trim() === "") {
        fs.writeFileSync(file, fs.readFileSync(path.join(parent, name), "utf8").trim());
      }
    }
  }
}

function readPids(directory: string): number[] {
  try {
    return fs
      .readFileSync(path.join(directory, "cgroup.procs"), "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map(Number)
      .filter((pid) => pid > 0);
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENODEV")) {
      return [];
    }
    throw error;
  }
}

function subdirectories(directory: string): string[] {
  try {
    return fs
      .readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => path.join(directory, entry.name));
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENODEV")) {
      return [];
    }
    throw error;
  }
}

/** A directory and everything below it, parents before children; empty when it isn't there. */
function tree(directory: string): string[] {
  if (!fs.existsSync(directory)) {
    return [];
  }
  return [directory, ...subdirectories(directory).flatMap(tree)];
}
