import assert from "node:assert/strict";
import fc from "fast-check";
import { STATES, type State } from "../../../../mesh/overview/model.js";
import { SAMPLES, SAMPLE_INTERVAL, StateHistory } from "../../src/overview/history.js";

const BEGIN = Date.parse("2026-06-01T12:00:00Z");
const taken = (states: readonly State[], history = new StateHistory()): StateHistory => {
  states.forEach((state, index) => {
    history.sample(BEGIN + index * SAMPLE_INTERVAL * 1000, new Map([["mesh", state]]));
  });
  return history;
};

describe("history of states", () => {
  it("tells spans and shares", () => {
    assert.deepEqual(taken(["well", "well", "failing", "well"]).of("mesh"), {
      apiVersion: "v1",
      of: "mesh",
      interval: 60,
      samples: 4,
      shares: { well: 0.75, unknown: 0, degraded: 0, failing: 0.25 },
      spans: [
        { from: "2026-06-01T12:00:00Z", to: "2026-06-01T12:01:00Z", state: "well" },
        { from: "2026-06-01T12:02:00Z", to: "2026-06-01T12:02:00Z", state: "failing" },
        { from: "2026-06-01T12:03:00Z", to: "2026-06-01T12:03:00Z", state: "well" },
      ],
    });
  });

  it("knows nothing of what there is not, or is not any more", () => {
    const history = taken(["well"]);
    assert.equal(history.of("zone/ops"), undefined);
    history.sample(BEGIN + 60_000, new Map([["zone/ops", "well" as const]]));
    assert.equal(history.of("mesh"), undefined);
    assert.equal(history.of("zone/ops")?.samples, 1);
  });

  it("does not join what lies before and after a time in which nobody looked", () => {
    const history = taken(["well"]);
    history.sample(BEGIN + 3_600_000, new Map([["mesh", "well" as const]]));
    assert.equal(history.of("mesh")?.spans.length, 2);
  });

  it("holds the last day and no more, whatever it is told", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...STATES), { minLength: 1, maxLength: 3 * SAMPLES }), (states) => {
        const found = taken(states).of("mesh");
        const last = states.slice(-SAMPLES);
        assert.equal(found?.samples, last.length);
        assert.equal(found.shares.well, last.filter((state) => state === "well").length / last.length);
        assert.equal(found.spans.at(-1)?.state, states.at(-1));
        assert.equal(
          found.spans.length,
          last.filter((state, index) => index === 0 || state !== last[index - 1]).length,
        );
      }),
      { numRuns: 30 },
    );
  });

  it("holds so many series and no more", () => {
    const history = new StateHistory();
    history.sample(
      BEGIN,
      new Map(Array.from({ length: 3_000 }, (_, index) => [`service/${String(index)}`, "well" as const])),
    );
    const held = Array.from({ length: 3_000 }, (_, index) => history.of(`service/${String(index)}`)).filter(
      (one) => one !== undefined,
    );
    assert.equal(held.length, 2_048);
  });
});
