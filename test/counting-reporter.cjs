// Mocha's spec reporter that also adds its counts and its failures to the file named by LUCID_TEST_COUNTS, for the sum at the end of `npm test`,
// and says which files took the time of a long run.
const { appendFileSync } = require("node:fs");
const path = require("node:path");
const { reporters } = require("mocha");

/** Files that took less than this, in milliseconds, are not worth a line. */
const SLOW_FILE = 20_000;

module.exports = class CountingReporter extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const failures = [];
    const files = new Map();
    const started = new Map();
    runner.on("fail", (test, error) =>
      failures.push({ test: test.fullTitle(), message: String(error?.message ?? error) }),
    );
    runner.on("suite", (suite) => started.set(suite, Date.now()));
    runner.on("suite end", (suite) => {
      if (suite.parent?.root && suite.file) {
        files.set(suite.file, (files.get(suite.file) ?? 0) + Date.now() - started.get(suite));
      }
    });
    runner.once("end", () => {
      const file = process.env.LUCID_TEST_COUNTS;
      const { passes, pending } = runner.stats;
      if (file) appendFileSync(file, `${JSON.stringify({ passes, pending, failures })}\n`);
      printSlow(files);
    });
  }
};

function printSlow(files) {
  const slow = [...files].filter(([, took]) => took >= SLOW_FILE).sort(([, one], [, other]) => other - one);
  if (slow.length === 0) return;
  console.log("  Where the time went:");
  for (const [file, took] of slow) {
    console.log(`    ${String(Math.round(took / 1000)).padStart(4)} s  ${path.relative(process.cwd(), file)}`);
  }
}
