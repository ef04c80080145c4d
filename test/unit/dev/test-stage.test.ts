import assert from "node:assert/strict";
import { closingLine, readCounts, runStage, sum } from "../../../dev/test-stage";

/** What the counting reporter leaves behind for one run of mocha. */
function run(passes: number, failures = 0, pending = 0): string {
  const failed = Array.from({ length: failures }, (_, i) => ({ test: `test ${i}`, message: "wrong\nand more" }));
  return `${JSON.stringify({ passes, pending, failures: failed })}\n`;
}

describe("the counts of a test run", () => {
  const cases: readonly [title: string, text: string, status: number, passed: number, failed: number][] = [
    ["are those of mocha", run(3), 0, 3, 0],
    ["have mocha's failures", run(3, 2), 2, 3, 2],
    ["add up over several runs", run(3) + run(4, 1), 1, 7, 1],
    ["have a pending test as a failed one", run(3, 0, 2), 0, 3, 2],
    ["have a failure where the command failed and no test did", run(3), 1, 3, 1],
    ["have a failure where the command ended before it counted", "", 1, 0, 1],
    ["have a failure where nothing was counted, although the command succeeded", "", 0, 0, 1],
    ["have a failure where no test ran, although the command succeeded", run(0), 0, 0, 1],
    ["have one failure, not two, where no test ran and the command failed", run(0), 1, 0, 1],
  ];
  for (const [title, text, status, passed, failed] of cases) {
    it(title, () => {
      const counts = readCounts(text, status);
      assert.deepEqual([counts.passed, counts.failed], [passed, failed]);
    });
  }

  it("name each failed test with what was wrong, indented below it", () => {
    const failures = ["test 0: wrong\n    and more", "test 1: wrong\n    and more"];
    assert.deepEqual(readCounts(run(1, 2), 2).failures, failures);
  });

  it("tell of a long failure how it begins and how it ends", () => {
    const message = Array.from({ length: 100 }, (_, i) => `line ${i + 1}`).join("\n");
    const text = JSON.stringify({ passes: 0, pending: 0, failures: [{ test: "long", message }] });
    const lines = readCounts(text, 1).failures?.[0]?.split("\n") ?? [];
    assert.deepEqual(lines.slice(0, 2), ["long: line 1", "    line 2"]);
    assert.deepEqual(lines.slice(7, 10), ["    line 8", "    … 68 more lines …", "    line 77"]);
    assert.equal(lines.at(-1), "    line 100");
    assert.equal(lines.length, 8 + 1 + 24);
  });

  it("say what was wrong where no test failed", () => {
    assert.deepEqual(readCounts(run(3), 1).failures, ["every test passed, but the command failed (exit status 1)"]);
    assert.deepEqual(readCounts("", 0).failures, ["no test ran (exit status 0)"]);
  });

  it("add up to nothing where there are none", () => {
    assert.deepEqual(sum([]), { passed: 0, failed: 0, failures: [] });
  });

  it("add up, passed and failed apart", () => {
    const counts = [
      { passed: 1, failed: 0 },
      { passed: 20, failed: 3, failures: ["one", "two"] },
    ];
    assert.deepEqual(sum(counts), { passed: 21, failed: 3, failures: ["one", "two"] });
  });

  it("stand in a plain closing line", () => {
    assert.equal(closingLine({ passed: 12, failed: 0 }), "12 passed, 0 failed");
    assert.equal(closingLine({ passed: 0, failed: 1 }), "0 passed, 1 failed");
  });
});

describe("a stage that runs beside another one", () => {
  const log = console.log;
  let printed: string[];
  beforeEach(() => {
    printed = [];
    console.log = (...words: unknown[]) => {
      printed.push(words.join(" "));
    };
  });
  afterEach(() => {
    console.log = log;
  });

  const run = (script: string) =>
    runStage({ title: "sums", command: [process.execPath, "-e", script] }, { isBeside: true });

  it("prints all of its output at once, between its title and its count", async () => {
    const counts = await run("console.log('one'); console.error('two')");
    assert.deepEqual([counts.passed, counts.failed], [1, 0]);
    const [output = "", closing = ""] = printed;
    assert.equal(printed.length, 2);
    assert.match(output, /=== sums \(beside the above\)\n[^]*one[^]*two|two[^]*one/);
    assert.match(closing, /^=== sums: 1 passed, 0 failed/);
  });

  it("leaves the processor to the other one", async () => {
    const waited = "setTimeout(() => process.exit(require('os').getPriority() >= 10 ? 0 : 1), 200)";
    assert.equal((await run(waited)).failed, 0);
  });

  it("fails as any other", async () => {
    assert.equal((await run("process.exit(3)")).failed, 1);
  });
});
