// Mocha's spec reporter that also adds its counts and its failures to the file named by LUCID_TEST_COUNTS, for the sum at the end of `npm test`.
const { appendFileSync } = require("node:fs");
const { reporters } = require("mocha");

module.exports = class CountingReporter extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const failures = [];
    runner.on("fail", (test, error) =>
      failures.push({ test: test.fullTitle(), message: String(error?.message ?? error) }),
    );
    runner.once("end", () => {
      const file = process.env.LUCID_TEST_COUNTS;
      const { passes, pending } = runner.stats;
      if (file) appendFileSync(file, `${JSON.stringify({ passes, pending, failures })}\n`);
    });
  }
};
