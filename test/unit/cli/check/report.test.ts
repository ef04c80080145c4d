import assert from "node:assert/strict";
import { failure, ok, skipped, warning } from "../../../../cli/check/check";
import type { Result } from "../../../../cli/check/check";
import { UnreachableError } from "../../../../cli/check/cluster/cluster";
import { reportData, reportText } from "../../../../cli/check/report";
import type { Outcome } from "../../../../cli/check/runner";
import { untilHolds } from "../../../../cli/check/wait";
import { check } from "./made";

describe("waiting for checks", () => {
  const outcome = (result: Result): Outcome => ({ check: check("one", () => result), result, seconds: 0 });
  const at = async (rounds: readonly (() => Result)[], seconds: number) => {
    const [left, told] = [[...rounds], [] as string[]];
    const next = (): Promise<readonly Outcome[]> => {
      const make = left.shift();
      assert.ok(make, "there was a further round");
      return Promise.resolve().then(() => [outcome(make())]);
    };
    const outcomes = await untilHolds(
      next,
      seconds,
      (text) => told.push(text),
      () => Promise.resolve(),
    );
    return { statuses: outcomes.map(({ result }) => result.status), told, left: left.length };
  };
  const away = (): Result => {
    throw new UnreachableError("no answer");
  };

  it("ends as soon as nothing fails", async () => {
    const { statuses: found, told } = await at([() => failure("a"), away, () => skipped("b")], 60);
    assert.deepEqual(found, ["skipped"]);
    assert.deepEqual(told, ["waiting for one", "waiting: no answer"]);
  });

  it("asks once where no time is given", async () => {
    assert.deepEqual(await at([() => failure("a"), () => ok()], 0), { statuses: ["failure"], told: [], left: 1 });
    await assert.rejects(at([away], 0), UnreachableError);
  });
});

describe("the report", () => {
  const outcomes: readonly Outcome[] = [
    { check: check("fine", () => ok()), result: ok("3 nodes"), seconds: 0.0004 },
    { check: check("old", () => ok()), result: warning("some are due", ["one", "two"]), seconds: 1 },
    {
      check: check("broken", () => ok(), { category: "network" }),
      result: failure(
        "open",
        Array.from({ length: 10 }, (_, n) => `at ${String(n)}`),
        "close it",
      ),
      seconds: 2,
    },
    {
      check: check("unknown", () => ok(), { category: "network" }),
      result: skipped("it needs broken, which does not hold"),
      seconds: 0,
    },
  ];
  const report = {
    stack: "dev",
    cluster: { context: "c", server: "https://s" },
    time: new Date("2026-11-21T18:00:00Z"),
    outcomes,
  };

  it("is grouped, with remedy and link under what does not hold, and says what is skipped", () => {
    assert.equal(
      reportText(report),
      `stack dev, cluster c (https://s)

stack
-----
√ fine holds (3 nodes)
‼ old holds
    some are due
      one
      two
    remedy: do something
    see docs/check.md#old

network
-------
× broken holds
    open
      at 0
      at 1
      at 2
      at 3
      at 4
      at 5
      at 6
      at 7
      and 2 more, which --json lists
    remedy: close it
    see docs/check.md#broken
~ unknown holds
    skipped: it needs broken, which does not hold
    see docs/check.md#unknown

× of 4 checks 1 hold, 1 with a warning, 1 do not hold, 1 skipped, of which nothing is known: unknown`,
    );
  });

  it("has a stable shape as data", () => {
    const data = reportData(report);
    assert.deepEqual(
      { ...data, checks: data.checks.slice(0, 2) },
      {
        stack: "dev",
        cluster: { context: "c", server: "https://s" },
        time: "2026-11-21T18:00:00.000Z",
        holds: false,
        counts: { ok: 1, warning: 1, failure: 1, skipped: 1 },
        checks: [
          {
            id: "fine",
            category: "stack",
            phase: "before",
            title: "fine holds",
            status: "ok",
            detail: "3 nodes",
            docs: "docs/check.md#fine",
            seconds: 0,
          },
          {
            id: "old",
            category: "stack",
            phase: "before",
            title: "old holds",
            status: "warning",
            detail: "some are due",
            findings: ["one", "two"],
            remedy: "do something",
            docs: "docs/check.md#old",
            seconds: 1,
          },
        ],
      },
    );
    assert.equal(data.checks[2]?.status === "failure" && data.checks[2].findings.length, 10);
  });
});
