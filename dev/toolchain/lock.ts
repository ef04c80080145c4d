import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";

import { Refusal } from "./failure";

/**
 * Does `work` while no other process of this machine holds the same lock file.
 *
 * A child (`flock`) holds the lock and lives only as long as this process keeps its standard input open: the kernel
 * lets go of the lock however this process ends, so no stale lock has to be told from a live one.
 * @param onWait called once, when another process holds the lock
 */
export async function withLock<T>(file: string, onWait: () => void, work: () => Promise<T>): Promise<T> {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const release = (await tryLock(file, ["--nonblock"])) ?? (onWait(), await tryLock(file, []));
  if (release === undefined) {
    throw new Refusal(
      `The lock ${file} can't be taken: flock (Debian package util-linux) failed; is the folder writable?`,
    );
  }
  try {
    return await work();
  } finally {
    release();
  }
}

/** Takes the lock, or gives undefined when it is held by another (or by nobody's fault can't be had). */
function tryLock(file: string, flags: readonly string[]): Promise<(() => void) | undefined> {
  return new Promise((resolve, reject) => {
    const holder = spawn("flock", ["--exclusive", ...flags, file, "sh", "-c", "echo held; exec cat"], {
      stdio: ["pipe", "pipe", "ignore"],
    });
    holder.on("error", (error) => {
      reject(
        new Refusal(`flock can't be run (${error.message}): install the Debian package util-linux, then run again.`),
      );
    });
    holder.stdout.once("data", () => {
      // The lock must not keep this process from ending.
      holder.unref();
      resolve(() => holder.stdin.end());
    });
    holder.once("close", () => {
      resolve(undefined);
    });
  });
}
