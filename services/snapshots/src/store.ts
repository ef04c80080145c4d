import { randomBytes } from "node:crypto";
import { open, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { verifyArchive } from "./archive.js";

/** A snapshot that was verified when it was written. */
export interface Snapshot {
  /** `20261122T060000Z-1234.snap`: when it was taken, and Raft's index. */
  readonly name: string;
  /** When it was taken; milliseconds since 1970. */
  readonly time: number;
  readonly index: number;
}

const NAME = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-(\d+)\.snap$/;
/** What is being written. One that nobody ended is removed after an hour. */
const PARTIAL = /^\.partial-[0-9a-f]{16}$/;
const PARTIAL_LIFE = 3_600_000;

/** No snapshot has that name. */
export class UnknownSnapshot extends Error {
  override readonly name = "UnknownSnapshot";
}

/** A folder of snapshots. A file bears a snapshot's name only once it is whole, verified and on the disk. */
export class SnapshotStore {
  constructor(private readonly folder: string) {}

  /** What there is, newest first. */
  async list(): Promise<readonly Snapshot[]> {
    const names = await readdir(this.folder);
    return names.flatMap((name) => snapshotOf(name) ?? []).sort((one, other) => (one.name < other.name ? 1 : -1));
  }

  /** Where a snapshot lies. @throws UnknownSnapshot */
  async fileOf(name: string): Promise<string> {
    const found = (await this.list()).find((snapshot) => snapshot.name === name);
    if (found === undefined) throw new UnknownSnapshot(`there is no snapshot ${JSON.stringify(name)}`);
    return join(this.folder, found.name);
  }

  /** Size of a snapshot in bytes. */
  async sizeOf(name: string): Promise<number> {
    return (await stat(await this.fileOf(name))).size;
  }

  /**
   * Adds a snapshot.
   *
   * @param write writes it into a new file
   * @param now milliseconds since 1970
   * @throws ArchiveError where what was written is no whole snapshot, or what `write` throws; nothing is left of it then
   */
  async add(write: (file: string) => Promise<void>, now: number): Promise<Snapshot> {
    const partial = join(this.folder, `.partial-${randomBytes(8).toString("hex")}`);
    try {
      await write(partial);
      const { index } = await verifyArchive(partial);
      const snapshot = { name: nameOf(now, index), time: Math.floor(now / 1000) * 1000, index };
      await rename(partial, join(this.folder, snapshot.name));
      await this.sync();
      return snapshot;
    } finally {
      await rm(partial, { force: true });
    }
  }

  /** Removes all but the newest, and what was left half-written. @returns names of the snapshots that are gone */
  async prune(kept: number, now: number): Promise<readonly string[]> {
    for (const name of await readdir(this.folder)) {
      if (!PARTIAL.test(name)) continue;
      const file = join(this.folder, name);
      const { mtimeMs } = await stat(file).catch(() => ({ mtimeMs: now }));
      if (now - mtimeMs > PARTIAL_LIFE) await rm(file, { force: true });
    }
    const old = (await this.list()).slice(kept).map(({ name }) => name);
    for (const name of old) await rm(join(this.folder, name), { force: true });
    return old;
  }

  /** A name is on the disk once its folder is. */
  private async sync(): Promise<void> {
    const handle = await open(this.folder, "r");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }
}

function nameOf(now: number, index: number): string {
  const time = new Date(now).toISOString().replace(/\.\d+/, "").replace(/[-:]/g, "");
  return `${time}-${String(index)}.snap`;
}

function snapshotOf(name: string): Snapshot | undefined {
  const match = NAME.exec(name);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, index] = match;
  const time = Date.parse(`${year ?? ""}-${month ?? ""}-${day ?? ""}T${hour ?? ""}:${minute ?? ""}:${second ?? ""}Z`);
  return Number.isNaN(time) ? undefined : { name, time, index: Number(index) };
}
