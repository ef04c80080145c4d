// Mocha's spec reporter that also adds its counts to the file named by LUCID_TEST_COUNTS, for the sum at the end of `npm test`.
const { appendFileSync } = require("node:fs");
const { reporters } = require("mocha");

module.exports = class CountingReporter extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    runner.once("end", () => {
      const file = process.env.LUCID_TEST_COUNTS;
      const { passes, failures, pending } = runner.stats;
      if (file) appendFileSync(file, `${JSON.stringify({ passes, failures, pending })}\n`);
    });
  }
};
