import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { KeyedQueue } from "../src/queue.js";
import { eventually } from "./support/eventually.js";

/** Makes a failure an unhandled error, which fails the run. */
function unexpected(key: string, error: unknown): void {
  throw new Error(`${key} failed`, { cause: error });
}

const FAST = { first: 10, limit: 40 };

describe("controller: queue", () => {
  it("handles a burst of changes of one key in one or two runs", async () => {
    let runs = 0;
    const queue = new KeyedQueue(
      async () => {
        runs += 1;
        await sleep(20);
      },
      { concurrency: 4, backoff: FAST, failed: unexpected },
    );
    for (let index = 0; index < 1000; index += 1) {
      queue.add("pod");
    }
    assert.equal(queue.size, 1);
    await eventually(() => {
      assert.equal(queue.size, 0);
    });
    assert.equal(runs, 2, "one that was under way, one for all that came meanwhile");
  });

  it("never handles one key twice at a time, nor more keys than it may", async () => {
    const active = new Map<string, number>();
    let most = 0;
    const queue = new KeyedQueue(
      async (key) => {
        active.set(key, (active.get(key) ?? 0) + 1);
        assert.equal(active.get(key), 1);
        most = Math.max(
          most,
          [...active.values()].reduce((sum, count) => sum + count, 0),
        );
        await sleep(5);
        active.set(key, 0);
      },
      { concurrency: 3, backoff: FAST, failed: unexpected },
    );
    for (let round = 0; round < 10; round += 1) {
      for (const key of ["a", "b", "c", "d", "e", "f"]) {
        queue.add(key);
      }
      await sleep(2);
    }
    await eventually(() => {
      assert.equal(queue.size, 0);
    });
    assert.equal(most, 3);
  });

  it("tries a failed key again, later and later, and others meanwhile", async () => {
    const starts: number[] = [];
    const handled: string[] = [];
    const failures: string[] = [];
    const queue = new KeyedQueue(
      (key) => {
        if (key === "bad") {
          starts.push(performance.now());
          if (starts.length < 4) {
            return Promise.reject(new Error("500"));
          }
        }
        handled.push(key);
        return Promise.resolve();
      },
      { concurrency: 1, backoff: { first: 40, limit: 1_000 }, failed: (key) => failures.push(key) },
    );
    queue.add("bad");
    queue.add("good");
    await eventually(() => {
      assert.deepEqual(handled, ["good", "bad"]);
    });
    assert.deepEqual(failures, ["bad", "bad", "bad"]);
    const gaps = starts.slice(1).map((start, index) => start - (starts[index] ?? 0));
    [20, 40, 80].forEach((least, index) => {
      assert.ok((gaps[index] ?? 0) >= least - 2, `gap ${String(index)}: ${String(gaps[index])} ms`);
    });
    assert.equal(queue.size, 0);
  });

  it("keeps the delay of a failed key unless told that the cause is over", async () => {
    let runs = 0;
    const queue = new KeyedQueue(
      () => {
        runs += 1;
        return runs === 1 ? Promise.reject(new Error("500")) : Promise.resolve();
      },
      { concurrency: 1, backoff: { first: 60_000, limit: 60_000 }, failed: () => undefined },
    );
    queue.add("pod");
    await sleep(10);
    queue.add("pod");
    await sleep(10);
    assert.equal(runs, 1);
    queue.addNow("pod");
    await sleep(10);
    assert.equal(runs, 2);
    assert.equal(queue.size, 0);
  });

  it("waits at its end for what runs, and begins nothing more", async () => {
    const ended: string[] = [];
    const queue = new KeyedQueue(
      async (key) => {
        await sleep(30);
        ended.push(key);
      },
      { concurrency: 1, backoff: FAST, failed: unexpected },
    );
    queue.add("a");
    queue.add("b");
    await queue.stop();
    queue.add("c");
    await sleep(50);
    assert.deepEqual(ended, ["a"]);
    assert.equal(queue.size, 0);
  });
});
