import assert from "node:assert/strict";
import { readFileSync, readdirSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ArchiveError } from "../src/archive.js";
import { SnapshotStore, UnknownSnapshot } from "../src/store.js";
import { archiveOf, members } from "./support/archives.js";
import { testFolder } from "./support/folder.js";

const NOW = Date.parse("2026-11-22T06:00:00.250Z");
const HOUR = 3_600_000;

describe("the snapshots on a volume", () => {
  const folder = testFolder();
  const store = () => new SnapshotStore(folder.path);
  const add = async (time: number, content?: Buffer) => {
    const good = content ?? (await archiveOf(members()));
    return store().add((file) => {
      writeFileSync(file, good, { mode: 0o600, flag: "wx" });
      return Promise.resolve();
    }, time);
  };

  it("are named for when they were taken and Raft's index, and listed newest first", async () => {
    await add(NOW - HOUR);
    await add(NOW);
    assert.deepEqual(await store().list(), [
      { name: "20261122T060000Z-42.snap", time: Date.parse("2026-11-22T06:00:00Z"), index: 42 },
      { name: "20261122T050000Z-42.snap", time: Date.parse("2026-11-22T05:00:00Z"), index: 42 },
    ]);
    assert.equal(statSync(join(folder.path, "20261122T060000Z-42.snap")).mode & 0o777, 0o600);
  });

  it("are the good ones: nothing is left of one that is not", async () => {
    await add(NOW - HOUR);
    await assert.rejects(add(NOW, Buffer.from("Permission denied")), ArchiveError);
    await assert.rejects(
      store().add((file) => {
        writeFileSync(file, "half of it");
        return Promise.reject(new Error("connection lost"));
      }, NOW),
      /connection lost/,
    );
    assert.deepEqual(readdirSync(folder.path), ["20261122T050000Z-42.snap"]);
  });

  it("don't count what is being written, or is called otherwise", async () => {
    for (const name of [
      ".partial-0123456789abcdef",
      "20261122T060000Z-42.snap.tmp",
      "99999999T999999Z-1.snap",
      "lost+found",
    ])
      writeFileSync(join(folder.path, name), "x");
    assert.deepEqual(await store().list(), []);
  });

  it("are pruned to the newest, and with them what was left half-written for an hour", async () => {
    for (const hours of [5, 4, 3, 2, 1]) await add(NOW - hours * HOUR);
    const [old, fresh] = [".partial-0123456789abcdef", ".partial-fedcba9876543210"].map((name) =>
      join(folder.path, name),
    );
    for (const file of [old, fresh]) writeFileSync(file ?? "", "x");
    utimesSync(old ?? "", (NOW - 2 * HOUR) / 1000, (NOW - 2 * HOUR) / 1000);
    utimesSync(fresh ?? "", NOW / 1000, NOW / 1000);
    writeFileSync(join(folder.path, "README"), "an operator's own");
    assert.deepEqual(await store().prune(2, NOW), [
      "20261122T030000Z-42.snap",
      "20261122T020000Z-42.snap",
      "20261122T010000Z-42.snap",
    ]);
    assert.deepEqual(readdirSync(folder.path).sort(), [
      ".partial-fedcba9876543210",
      "20261122T040000Z-42.snap",
      "20261122T050000Z-42.snap",
      "README",
    ]);
  });

  it("are found by their names alone", async () => {
    const { name } = await add(NOW);
    assert.deepEqual(readFileSync(await store().fileOf(name)), readFileSync(join(folder.path, name)));
    for (const wrong of ["../etc/passwd", `./${name}`, "", "20261122T060000Z-43.snap"])
      await assert.rejects(store().fileOf(wrong), UnknownSnapshot);
  });
});
