import * as fs from "node:fs";
import * as path from "node:path";

import { Refusal } from "./failure";

const gigabyte = 1e9;

/** Room that is wanted on one of the machine's file systems. */
export interface RoomWanted {
  /** A folder on it; need not exist yet. */
  readonly folder: string;
  readonly gigabytes: number;
}

/** What is known of the file system of a folder. */
export interface FileSystem {
  /** The same for all folders of one file system. */
  readonly id: number;
  readonly freeBytes: number;
}

/** Asks the machine about the file system that `folder` is, or would be, on. */
export function fileSystemOf(folder: string): FileSystem {
  let existing = path.resolve(folder);
  while (!fs.existsSync(existing)) {
    existing = path.dirname(existing);
  }
  const { bavail, bsize } = fs.statfsSync(existing);
  return { id: fs.statSync(existing).dev, freeBytes: bavail * bsize };
}

/**
 * @throws Refusal when a file system has less room than is wanted on it in all
 */
export function checkRoom(wanted: readonly RoomWanted[], lookUp: (folder: string) => FileSystem = fileSystemOf): void {
  const sums = new Map<number, { folder: string; gigabytes: number; freeBytes: number }>();
  for (const { folder, gigabytes } of wanted) {
    const { id, freeBytes } = lookUp(folder);
    const sum = sums.get(id) ?? { folder, gigabytes: 0, freeBytes };
    sum.gigabytes += gigabytes;
    sums.set(id, sum);
  }
  for (const { folder, gigabytes, freeBytes } of sums.values()) {
    if (freeBytes < gigabytes * gigabyte) {
      throw new Refusal(
        `Not enough room on the disk of ${folder}: about ${gigabytes.toFixed(1)} GB are needed, ` +
          `${(freeBytes / gigabyte).toFixed(1)} GB are free. Make room, or set LUCID_MESH_CACHE, GOMODCACHE and GOCACHE ` +
          "to folders on another disk, and run again.",
      );
    }
  }
}
