import assert from "node:assert/strict";
import type { Attempt } from "../src/connect.js";
import { CONNECT_TIMEOUT, INTERVAL, ROUNDS, runGate, type GateWorld } from "../src/gate.js";

const YES: Attempt = { connected: true };
const NO: Attempt = { connected: false, code: "ECONNREFUSED" };

/**
 * A world on a virtual clock. Each round is written as two letters, canary then open port: `y` connects, `n` is refused;
 * the last round repeats for ever. `log` has the attempts in the order in which they were made.
 */
function scripted(...script: string[]): { world: GateWorld; log: string[] } {
  let clock = 0;
  let round = -1;
  const log: string[] = [];
  const outcome = (index: number): Attempt => {
    clock += 1;
    return script[Math.min(round, script.length - 1)]?.[index] === "y" ? YES : NO;
  };
  return {
    log,
    world: {
      tryCanary: () => {
        round += 1;
        log.push("canary");
        return Promise.resolve(outcome(0));
      },
      tryOpen: () => {
        log.push("open");
        return Promise.resolve(outcome(1));
      },
      sleep: (milliseconds) => {
        clock += milliseconds;
        return Promise.resolve();
      },
      now: () => clock,
    },
  };
}

describe("start gate: decision", () => {
  it("passes after as many good rounds in a row as it wants, and not before", async () => {
    const { world, log } = scripted("ny");
    const result = await runGate(world, 60_000);
    assert.equal(result.passed, true);
    assert.equal(result.rounds, ROUNDS);
    assert.equal(result.reason, undefined);
    assert.deepEqual(
      log,
      ["canary", "open", "canary", "open", "canary", "open"],
      "open port after the canary, each round",
    );
  });

  it("waits while the canary is let through", async () => {
    const result = await runGate(scripted("yy", "yy", "yy", "ny").world, 60_000);
    assert.equal(result.passed, true);
    assert.equal(result.rounds, 3 + ROUNDS);
    assert.equal(result.canaryOpenRounds, 3);
  });

  it("counts from the start again after one bad round", async () => {
    const result = await runGate(scripted("ny", "ny", "yy", "ny", "ny", "nn", "ny").world, 60_000);
    assert.equal(result.passed, true);
    assert.equal(result.rounds, 6 + ROUNDS);
    assert.equal(result.canaryOpenRounds, 1);
    assert.equal(result.targetSilentRounds, 1);
  });

  for (const [script, reason] of [
    ["yy", /canary port is still reachable/],
    ["nn", /open port does not answer \(ECONNREFUSED\)/],
    ["yn", /canary port is still reachable/],
  ] as const) {
    it(`never passes in a world of ${script}, and says why in one line`, async () => {
      const timeout = 5_000;
      const result = await runGate(scripted(script).world, timeout);
      assert.equal(result.passed, false);
      assert.match(result.reason ?? "", reason);
      assert.doesNotMatch(result.reason ?? "", /\n/);
      assert.ok(result.waited <= timeout && result.waited >= timeout - INTERVAL - 2 * CONNECT_TIMEOUT);
    });
  }

  it("does not pass on flapping enforcement", async () => {
    const flapping = Array.from({ length: 1000 }, (_, index) => (index % ROUNDS === ROUNDS - 1 ? "yy" : "ny"));
    assert.equal((await runGate(scripted(...flapping).world, 20_000)).passed, false);
  });
});
