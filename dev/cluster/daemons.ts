import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { kill, type Cgroups } from "./cgroups";
import { until } from "./commands";
import { Refusal } from "../toolchain";
import { hasCode } from "./errors";
import type { Machine, StateFiles } from "./layout";

/** A long-running program of the cluster. */
export interface Daemon {
  /** Unique on its machine; names its cgroup and its log. */
  readonly name: string;
  readonly machine: Machine;
  /** Absolute path. Its base name is how the running process is recognised. */
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** What it reads at its start beside its arguments: a change of it restarts the daemon. */
  readonly configuration?: readonly string[];
}

/** Variables that mark each daemon, so that a person who meets the process knows whose it is. */
export const marker = {
  process: "LUCID_MESH_PROCESS",
  state: "LUCID_MESH_STATE",
  configuration: "LUCID_MESH_CONFIGURATION",
} as const;

/** Starts, finds and ends daemons. No pid file: the cgroup says what runs. */
export class Daemons {
  constructor(
    private readonly cgroups: Cgroups,
    private readonly files: StateFiles,
    /** Process whose namespaces are the machine's; undefined for the host. */
    private readonly anchorOf: (machine: Machine) => number | undefined,
  ) {}

  /** Pid of the daemon's main process, or undefined when it doesn't run. */
  pid(daemon: Pick<Daemon, "name" | "machine" | "program">): number | undefined {
    // The group also holds what the daemon forked (shims, socat's connections): the oldest of its name is the daemon.
    return this.cgroups
      .processes([daemon.machine.name, daemon.name], false)
      .filter((pid) => programName(pid) === path.basename(daemon.program))
      .sort((a, b) => startTime(a) - startTime(b))[0];
  }

  /** Starts the daemon, unless it runs already with the same program, arguments and configuration. Returns its pid. */
  async ensure(daemon: Daemon): Promise<number> {
    const digest = digestOf(daemon);
    const running = this.pid(daemon);
    if (running !== undefined) {
      if (environment(running)[marker.configuration] === digest) {
        return running;
      }
      await this.stop(daemon);
    }
    return this.start(daemon, digest);
  }

  /** Ends the daemon's main process: SIGTERM, and after ten seconds SIGKILL. What it started lives on. */
  async stop(daemon: Daemon): Promise<void> {
    const pid = this.pid(daemon);
    if (pid === undefined) {
      return;
    }
    kill(pid, "SIGTERM");
    const end = Date.now() + 10_000;
    while (this.pid(daemon) === pid) {
      if (Date.now() > end) {
        kill(pid);
      }
      await delay(50);
    }
  }

  private async start(daemon: Daemon, digest: string): Promise<number> {
    const log = this.files.log(daemon.machine, daemon.name);
    fs.mkdirSync(path.dirname(log), { recursive: true });
    if (fs.existsSync(log)) {
      fs.renameSync(log, `${log}.1`);
    }
    const groups = this.cgroups.ensure(daemon.machine.name, daemon.name);
    const output = fs.openSync(log, "a", 0o640);
    try {
      const child = spawn(
        "/bin/sh",
        ["-c", launch, "sh", ...groups, "--", ...this.enter(daemon.machine), daemon.program, ...daemon.args],
        {
          cwd: "/",
          detached: true,
          stdio: ["ignore", output, output],
          env: {
            PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            HOME: "/root",
            ...daemon.env,
            [marker.process]: "1",
            [marker.state]: this.files.root,
            [marker.configuration]: digest,
          },
        },
      );
      let exit: string | undefined;
      child.on("exit", (code, signal) => (exit = signal ?? `exit code ${String(code)}`));
      child.on("error", (error) => (exit = error.message));
      child.unref();
      return await until(
        { what: `${daemon.name} to start`, seconds: 10, intervalMilliseconds: 20, hint: `its log is ${log}` },
        () => {
          if (exit !== undefined) {
            throw new Refusal(`it ended at once: ${exit}: ${lastLine(log)}`);
          }
          return Promise.resolve(this.pid(daemon));
        },
      );
    } finally {
      fs.closeSync(output);
    }
  }

  /** The command that enters a machine's namespaces. */
  enter(machine: Machine): string[] {
    if (machine.address === undefined) {
      return [];
    }
    const anchor = this.anchorOf(machine);
    if (anchor === undefined) {
      throw new Refusal(`${machine.name} is not up; run 'npm run cluster -- up'`);
    }
    // Not `ip netns exec`, which mounts /sys anew, without the cgroups.
    const namespaces = `/proc/${String(anchor)}/ns`;
    return [
      "/usr/bin/nsenter",
      `--net=${namespaces}/net`,
      `--uts=${namespaces}/uts`,
      `--mount=${namespaces}/mnt`,
      "--",
    ];
  }
}

// Moves itself into the cgroups given before `--`, then becomes the command after it: pid and parent stay the same.
export const launch = `
while [ "$1" != -- ]; do echo $$ > "$1/cgroup.procs" || exit 125; shift; done
shift
exec "$@"`;

/** What tells whether a running daemon is still the one that is wanted. */
export function digestOf(daemon: Daemon): string {
  const { program, args, env, configuration } = daemon;
  // A tool that was built anew under the same name is another program.
  const { mtimeMs, size } = fs.statSync(program);
  return createHash("sha256")
    .update(JSON.stringify([fs.realpathSync(program), mtimeMs, size, args, env ?? {}, configuration ?? []]))
    .digest("hex")
    .slice(0, 16);
}

/** Base name of a process's program as it was called, or undefined when there is no such process. */
export function programName(pid: number): string | undefined {
  const first = procFile(pid, "cmdline")?.split("\0")[0];
  return first === undefined || first === "" ? undefined : path.basename(first);
}

/** Environment of a process at its start; empty when there is no such process. */
export function environment(pid: number): Readonly<Record<string, string | undefined>> {
  const pairs = (procFile(pid, "environ") ?? "").split("\0").map((entry): [string, string] => {
    const at = entry.indexOf("=");
    return [entry.slice(0, at), entry.slice(at + 1)];
  });
  return Object.fromEntries(pairs);
}

/** Last line of a log that isn't empty. */
export function lastLine(log: string): string {
  try {
    return fs.readFileSync(log, "utf8").trimEnd().split("\n").pop()?.slice(0, 400) ?? "";
  } catch (error) {
    if (hasCode(error, "ENOENT")) {
      return "";
    }
    throw error;
  }
}

function startTime(pid: number): number {
  // Field 22, counted after the program's name, which may hold anything.
  const fields = procFile(pid, "stat")
    ?.replace(/^.*\) /s, "")
    .split(" ");
  return Number(fields?.[19] ?? Infinity);
}

function procFile(pid: number, name: string): string | undefined {
  try {
    return fs.readFileSync(`/proc/${String(pid)}/${name}`, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT", "ESRCH", "EACCES")) {
      return undefined;
    }
    throw error;
  }
}
