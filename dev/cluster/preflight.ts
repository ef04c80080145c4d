import * as fs from "node:fs";
import * as net from "node:net";
import * as path from "node:path";

import { Refusal } from "../toolchain";

/** Directories that each machine of the cluster has of its own, so that files of the cluster can't lie there. */
const hidden = ["/run", "/var/run", "/var/lib", "/var/log", "/proc", "/sys", "/dev"];
/** A Unix socket's path has room for 107 characters. */
const longestStateDir = 107 - "/run/apiserver.sock".length;
const gigabyte = 1e9;

/** @throws Refusal unless this process may make namespaces and cgroups. */
export function requireRoot(): void {
  if (process.getuid?.() !== 0) {
    throw new Refusal("the embedded cluster makes network namespaces and cgroups: run the command as root (sudo)");
  }
}

/** @throws Refusal when a directory can't be used from inside the machines. */
export function checkDirectory(directory: string, variable: string): void {
  const bad = hidden.find((parent) => directory === parent || directory.startsWith(`${parent}/`));
  if (bad !== undefined) {
    throw new Refusal(
      `${directory} lies below ${bad}, which nodes have of their own; set ${variable} to another directory`,
    );
  }
  if (directory.length > longestStateDir) {
    throw new Refusal(`${directory} is too long for the path of a socket; set ${variable} to a shorter directory`);
  }
}

/** Room that a cluster with the mesh on it takes up, and some more, in bytes. */
const roomNeeded = 8 * gigabyte;

/** @throws Refusal when a cluster would fill the disk; `free` in bytes. */
export function checkDisk(directory: string, free: number = freeBytes(directory)): void {
  if (free < roomNeeded) {
    throw new Refusal(
      `the disk of ${directory} is too full: ${inGigabytes(free)} free, ${inGigabytes(roomNeeded)} needed; make room, or ` +
        "set LUCID_MESH_STATE and LUCID_MESH_CACHE to another disk",
    );
  }
}

function freeBytes(directory: string): number {
  let existing = directory;
  while (!fs.existsSync(existing)) {
    existing = path.dirname(existing);
  }
  const { bavail, bsize } = fs.statfsSync(existing);
  return bavail * bsize;
}

function inGigabytes(bytes: number): string {
  return `${(bytes / gigabyte).toFixed(1)} GB`;
}

const portsTried = 50;

/**
 * A free port on 127.0.0.1: the one asked for, or the first free one from `preferred` on.
 *
 * @throws Refusal when it is busy.
 */
export async function freePort(preferred: number, asked: number | undefined): Promise<number> {
  if (asked !== undefined) {
    if (await isFree(asked)) {
      return asked;
    }
    throw new Refusal(`port ${String(asked)} of 127.0.0.1 is busy; choose another with --port, or leave --port out`);
  }
  for (let port = preferred; port < preferred + portsTried; port++) {
    if (await isFree(port)) {
      return port;
    }
  }
  const last = String(preferred + portsTried - 1);
  throw new Refusal(`no port from ${String(preferred)} to ${last} of 127.0.0.1 is free; choose one with --port`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once("error", () => {
      resolve(false);
    });
    server.listen({ host: "127.0.0.1", port }, () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}
