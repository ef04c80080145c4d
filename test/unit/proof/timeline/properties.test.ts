import assert from "node:assert/strict";
import fc from "fast-check";
import { gaps, stepGaps } from "../../../../proof/timeline";
import type { Timeline } from "../../../../proof/timeline";
import { firstExpiry, partedByStep } from "./oracle";
import { assumptions, edges, settings, timelineOf } from "./random";

/** Held against walking through time: with every schedule of updates that the assumptions allow, and every order in which files arrive. */
describe("a timeline of random settings", function () {
  this.timeout(120_000);

  it("has an expiry exactly where walking through time meets one, from the same instant on", () => {
    const seen = { some: 0, none: 0 };
    fc.assert(
      fc.property(settings, edges, assumptions, (of, between, assumed) => {
        const timeline = timelineOf(of, between);
        const found = gaps(timeline, assumed).map(({ fromHours }) => fromHours);
        const met = firstExpiry(timeline, assumed);
        seen[met === undefined ? "none" : "some"]++;
        // A certificate is good up to its end, so the first instant is the next tick.
        assert.equal(found.length === 0 ? undefined : Math.min(...found) + 0.5, met);
      }),
      { numRuns: 250 },
    );
    assert.ok(seen.some > 20 && seen.none > 20, JSON.stringify(seen));
  });

  it("parts by an update exactly those whom some order of arrivals parts", () => {
    const seen = { some: 0, none: 0 };
    fc.assert(
      fc.property(settings, settings, edges, assumptions, (before, after, between, assumed) => {
        const [old, next] = [timelineOf(before, between), timelineOf(after, between)];
        const found = new Set(
          stepGaps(old, next, assumed).flatMap(({ pairs }) =>
            pairs.map(({ verifier, shown }) => `${verifier} < ${shown}`),
          ),
        );
        const met = partedByStep(old, next, { ...assumed, distributionHours: Math.max(1, assumed.distributionHours) });
        seen[met.size === 0 ? "none" : "some"]++;
        assert.deepEqual([...found].sort(), [...met].sort());
      }),
      { numRuns: 600 },
    );
    assert.ok(seen.some > 100 && seen.none > 20, JSON.stringify(seen));
  });

  it("parts nobody by the three steps of an exchange, whatever the generations", () => {
    fc.assert(
      fc.property(
        settings,
        edges,
        assumptions,
        fc.constantFrom("roots" as const, "issuers" as const),
        (of, between, assumed, kind) => {
          const { issuing } = of.alpha[kind];
          const next = issuing + 1;
          const steps = [
            { accepted: [issuing], issuing },
            { accepted: [issuing, next], issuing },
            { accepted: [issuing, next], issuing: next },
            { accepted: [next], issuing: next },
          ].map((generations) => timelineOf({ ...of, alpha: { ...of.alpha, [kind]: generations } }, between));
          for (const [index, after] of steps.entries()) {
            const before = steps[index - 1];
            if (before !== undefined) assert.deepEqual(stepGaps(before, after, assumed), []);
          }
          const [first, , third, last] = steps as [Timeline, Timeline, Timeline, Timeline];
          const meets = between.some(({ from, to }) => [from, to].some((name) => name.startsWith("alpha")));
          assert.equal(stepGaps(first, third, assumed).length > 0, meets);
          assert.equal(stepGaps(first, last, assumed).length > 0, meets);
        },
      ),
      { numRuns: 300 },
    );
  });
});
