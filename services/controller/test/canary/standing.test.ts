import assert from "node:assert/strict";
import * as fc from "fast-check";
import { OUTCOMES, type Outcome } from "../../src/canary/model.js";
import { IN_A_ROW, Standing } from "../../src/canary/standing.js";

const PATIENCE = 1_000;

/** What is told after each try, a millisecond apart. */
function told(...outcomes: readonly Outcome[]): (Outcome | undefined)[] {
  const standing = new Standing();
  return outcomes.map((outcome, index) => {
    standing.note({ outcome, detail: "" }, index);
    return standing.at(index, PATIENCE)?.outcome;
  });
}

describe("what is held of a pod after several tries", () => {
  it("is nothing before the first", () => {
    const standing = new Standing();
    assert.equal(standing.at(10 * PATIENCE, PATIENCE), undefined);
  });

  it("is enforced at once, and anything else after three in a row", () => {
    assert.deepEqual(told("enforced"), ["enforced"]);
    assert.deepEqual(told("let-in", "let-in", "let-in"), [undefined, undefined, "let-in"]);
    assert.deepEqual(told("blind", "blind", "let-in", "blind", "blind", "blind"), [
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
      "blind",
    ]);
  });

  it("turns in both directions after three in a row", () => {
    assert.deepEqual(told("enforced", "let-in", "let-in", "enforced", "let-in", "let-in", "let-in").at(-2), "enforced");
    assert.deepEqual(told("enforced", "let-in", "let-in", "let-in"), ["enforced", "enforced", "enforced", "let-in"]);
    assert.deepEqual(told("let-in", "let-in", "let-in", "enforced", "enforced", "enforced").slice(2), [
      "let-in",
      "let-in",
      "let-in",
      "enforced",
    ]);
  });

  it("is blind once it is older than may be, whatever it was", () => {
    const standing = new Standing();
    standing.note({ outcome: "enforced", detail: "" }, 0);
    assert.equal(standing.at(PATIENCE, PATIENCE)?.outcome, "enforced");
    assert.deepEqual(standing.at(PATIENCE + 1, PATIENCE), { outcome: "blind", detail: "it was not asked for long" });
  });

  it("says what the next try is for", () => {
    const standing = new Standing();
    const next = (outcome: Outcome) => {
      standing.note({ outcome, detail: "" }, 0);
      return standing.next;
    };
    assert.equal(next("enforced"), "routine");
    assert.deepEqual([next("let-in"), next("let-in"), next("let-in")], ["doubt", "doubt", "recovery"]);
    assert.deepEqual([next("enforced"), next("enforced"), next("enforced")], ["recovery", "recovery", "routine"]);
    assert.equal(next("blind"), "doubt");
  });

  it("is never let in, nor enforced again, by fewer than three tries in a row", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...OUTCOMES), { maxLength: 40 }), (outcomes) => {
        told(...outcomes).forEach((now, index, all) => {
          const before = index === 0 ? undefined : all[index - 1];
          if (now === undefined || now === before || (before === undefined && now === "enforced")) return;
          assert.deepEqual(outcomes.slice(index + 1 - IN_A_ROW, index + 1), Array(IN_A_ROW).fill(now));
        });
      }),
    );
  });
});
