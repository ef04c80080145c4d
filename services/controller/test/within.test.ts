import assert from "node:assert/strict";
import { getEventListeners, setMaxListeners } from "node:events";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { pause } from "../src/backoff.js";
import { within } from "../src/within.js";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** Rejects once its signal is aborted, with the reason. */
const never = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    const giveUp = (): void => {
      reject(signal.reason as Error);
    };
    signal.addEventListener("abort", giveUp);
    if (signal.aborted) giveUp();
  });

describe("controller: work within a time", () => {
  it("gives what it ends with, or throws it", async () => {
    const { signal } = new AbortController();
    assert.equal(await within(1_000, signal, () => Promise.resolve(7)), 7);
    await assert.rejects(
      within(1_000, signal, () => Promise.reject(new Error("refused"))),
      /refused/,
    );
  });

  it("is given up after that time, and with the signal", async () => {
    const { signal } = new AbortController();
    await assert.rejects(within(20, signal, never), { name: "TimeoutError", message: "it took more than 20 ms" });
    const outer = new AbortController();
    const ended = assert.rejects(within(10_000, outer.signal, never), /no leader any more/);
    outer.abort(new Error("no leader any more"));
    await ended;
    await assert.rejects(within(10_000, outer.signal, never), /no leader any more/);
  });

  it("leaves nothing with a signal that outlives it, nor does a pause", async () => {
    const { signal } = new AbortController();
    // As the controller's own are told.
    setMaxListeners(0, signal);
    const rounds = async (): Promise<void> => {
      for (let round = 0; round < 20_000; round += 1) await within(1_000, signal, () => Promise.resolve());
      for (let round = 0; round < 100; round += 1)
        await Promise.all(Array.from({ length: 100 }, () => pause(0, signal, new AbortController().signal)));
    };
    const heap = (): number => {
      collectGarbage();
      return process.memoryUsage().heapUsed;
    };
    await rounds();
    const before = heap();
    await rounds();
    const grown = heap() - before;
    // What AbortSignal.any leaves of so many would be 1.5 MiB.
    assert.ok(grown < 2 ** 18, `${String(grown)} bytes more`);
    assert.equal(getEventListeners(signal, "abort").length, 0);
  });
});
