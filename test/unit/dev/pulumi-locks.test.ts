import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import * as path from "node:path";
import { removeLocksOfEndedCommands } from "../../../dev/pulumi-locks";

describe("locks of Pulumi commands that no longer run", () => {
  let backend: string;
  beforeEach(() => {
    backend = mkdtempSync(path.join(tmpdir(), "lucid-locks-"));
  });
  afterEach(() => {
    rmSync(backend, { recursive: true });
  });

  const lock = (content: unknown): string => {
    const folder = path.join(backend, ".pulumi", "locks", "organization", "lucid-mesh", "dev");
    mkdirSync(folder, { recursive: true });
    const file = path.join(folder, "5f0a.json");
    writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
    writeFileSync(`${file}.attrs`, "{}");
    return file;
  };
  const timestamp = "2026-01-02T03:04:05Z";

  it("are taken away, and it is said", () => {
    const file = lock({ pid: 4711, username: "root", hostname: hostname(), timestamp });
    const said = removeLocksOfEndedCommands(backend, () => false);
    assert.equal(existsSync(file), false);
    assert.equal(existsSync(`${file}.attrs`), false);
    assert.deepEqual(said, [
      "stack dev was left locked by a Pulumi command that no longer runs (process 4711, 2026-01-02T03:04:05Z): its lock is taken away",
    ]);
  });

  it("are those whose process is another program by now", () => {
    const file = lock({ pid: process.pid, username: "root", hostname: hostname(), timestamp });
    assert.equal(removeLocksOfEndedCommands(backend).length, 1);
    assert.equal(existsSync(file), false);
  });

  const kept: readonly [title: string, content: unknown, isPulumi: boolean][] = [
    ["of one that runs", { pid: 4711, hostname: hostname(), timestamp }, true],
    ["of another machine", { pid: 4711, hostname: `not-${hostname()}`, timestamp }, false],
    ["without a process", { hostname: hostname(), timestamp }, false],
    ["that is nothing", "null", false],
    ["that is being written", '{"pid":47', false],
  ];
  for (const [title, content, isPulumi] of kept) {
    it(`leave a lock ${title}`, () => {
      const file = lock(content);
      assert.deepEqual(
        removeLocksOfEndedCommands(backend, () => isPulumi),
        [],
      );
      assert.ok(existsSync(file));
    });
  }

  it("are none in a backend that was never used", () => {
    assert.deepEqual(removeLocksOfEndedCommands(backend), []);
  });
});
