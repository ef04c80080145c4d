import { existsSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { hostname } from "node:os";
import * as path from "node:path";

/** What Pulumi's file backend writes into the lock of a running command. Source: `pkg/backend/diy/lock.go` of Pulumi. */
interface Lock {
  readonly pid: number;
  readonly hostname: string;
  readonly timestamp: string;
}

/** Whether a process of this machine is a running Pulumi CLI. */
export type IsPulumi = (pid: number) => boolean;

/**
 * Takes away the locks that Pulumi commands left behind in a file backend when they were killed, or the machine was, with them: without that, every
 * later command is refused. A lock stays if its command still runs, if another machine made it, or if it can't be read: whether those end is not for
 * us to say.
 *
 * @param backend the backend's folder, absolute.
 * @returns a line for each lock that was taken away: which one, and of what.
 */
export function removeLocksOfEndedCommands(backend: string, isPulumi: IsPulumi = runsPulumi): string[] {
  const root = path.join(backend, ".pulumi", "locks");
  if (!existsSync(root)) return [];
  const removed: string[] = [];
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith(".json")) continue;
    const file = path.join(entry.parentPath, entry.name);
    const lock = readLock(file);
    if (lock === undefined || lock.hostname !== hostname() || isPulumi(lock.pid)) continue;
    for (const part of [`${file}.attrs`, file]) rmSync(part, { force: true });
    const stack = path.basename(entry.parentPath);
    removed.push(
      `stack ${stack} was left locked by a Pulumi command that no longer runs (process ${String(lock.pid)}, ${lock.timestamp}): its lock is taken away`,
    );
  }
  return removed;
}

/** `undefined` where the file is gone by now, or holds no lock. */
function readLock(file: string): Lock | undefined {
  try {
    const lock = JSON.parse(readFileSync(file, "utf8")) as Partial<Lock> | null;
    if (typeof lock?.pid !== "number" || typeof lock.hostname !== "string") return undefined;
    return { pid: lock.pid, hostname: lock.hostname, timestamp: String(lock.timestamp) };
  } catch {
    return undefined;
  }
}

/** The number of an ended process may be another's by now, so its program's name is asked, too. */
function runsPulumi(pid: number): boolean {
  try {
    return readFileSync(`/proc/${String(pid)}/comm`, "utf8").trim() === "pulumi";
  } catch {
    return false;
  }
}
