import * as assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { withLock } from "../../../dev/toolchain/lock";
import { Store } from "../../../dev/toolchain/store";

/** Inside a `describe`: a new folder for each of its tests. */
function freshFolder(): () => string {
  let folder = "";
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "toolchain-store-"));
  });
  afterEach(() => {
    fs.rmSync(folder, { recursive: true });
  });
  return () => folder;
}

describe("toolchain: the store of builds", () => {
  const cache = freshFolder();
  const programs = ["tool", "alias"];
  const make = (content: string) => (folder: string) => {
    fs.writeFileSync(path.join(folder, "tool"), content);
    fs.symlinkSync("tool", path.join(folder, "alias"));
    return Promise.resolve();
  };
  const called = (store: Store) => fs.readFileSync(path.join(store.bin, "alias"), "utf8");

  it("keeps builds apart by key and points the names at the one asked for", async () => {
    const store = new Store(cache());
    assert.equal(store.activate("tool", "one", programs), false);
    await store.add("tool", "one", make("first"));
    await store.add("tool", "two", make("second"));
    assert.equal(store.activate("tool", "one", programs), true);
    assert.equal(called(store), "first");
    assert.equal(store.activate("tool", "two", programs), true);
    assert.equal(called(store), "second");
    assert.deepEqual(fs.readdirSync(store.bin).sort(), ["alias", "tool"]);
  });

  it("replaces a plain file of the same name", async () => {
    const store = new Store(cache());
    fs.mkdirSync(store.bin);
    fs.writeFileSync(path.join(store.bin, "alias"), "old");
    await store.add("tool", "one", make("first"));
    store.activate("tool", "one", programs);
    assert.equal(called(store), "first");
  });

  it("has nothing of a build that failed, and makes it the next time", async () => {
    const store = new Store(cache());
    await assert.rejects(
      store.add("tool", "one", (folder) => {
        fs.writeFileSync(path.join(folder, "tool"), "half");
        return Promise.reject(new Error("no"));
      }),
    );
    assert.equal(store.activate("tool", "one", programs), false);
    await store.add("tool", "one", make("whole"));
    assert.equal(store.activate("tool", "one", programs), true);
  });

  it("removes what was not used for a month, and what a killed run left", async () => {
    const store = new Store(cache());
    await store.add("tool", "old", make("old"));
    await store.add("tool", "new", make("new"));
    const longAgo = new Date(Date.now() - 31 * 24 * 3600 * 1000);
    fs.utimesSync(path.join(cache(), "builds", "tool", "old"), longAgo, longAgo);
    fs.mkdirSync(path.join(cache(), "tmp", "tool-x"), { recursive: true });
    store.prune();
    assert.deepEqual(fs.readdirSync(path.join(cache(), "builds", "tool")), ["new"]);
    assert.equal(fs.existsSync(path.join(cache(), "tmp")), false);
  });
});

describe("toolchain: the lock", () => {
  const cache = freshFolder();
  it("lets one in at a time and tells the other that it waits", async () => {
    const file = path.join(cache(), "lock");
    const order: string[] = [];
    const wait = (name: string) => () => {
      order.push(`${name} waits`);
    };
    let begin = (): void => undefined;
    const begun = new Promise<void>((resolve) => (begin = resolve));
    const first = withLock(file, wait("first"), async () => {
      begin();
      await new Promise((resolve) => setTimeout(resolve, 200));
      order.push("first");
    });
    await begun;
    await withLock(file, wait("second"), () => {
      order.push("second");
      return Promise.resolve();
    });
    await first;
    assert.deepEqual(order, ["second waits", "first", "second"]);
  });

  it("is free when its holder was killed", async () => {
    const file = path.join(cache(), "lock");
    const lock = path.resolve(__dirname, "../../../dev/toolchain/lock.ts");
    const script = `require(${JSON.stringify(lock)}).withLock(${JSON.stringify(file)}, () => {}, async () => {
      console.log("held"); await new Promise(() => setInterval(() => {}, 1000)); });`;
    const holder = spawn(process.execPath, ["-r", "tsx/cjs", "-e", script], { stdio: ["ignore", "pipe", "inherit"] });
    await once(holder.stdout, "data");
    holder.kill("SIGKILL");
    assert.equal(
      await withLock(
        file,
        () => undefined,
        () => Promise.resolve("in"),
      ),
      "in",
    );
  }).timeout(20_000);
});
