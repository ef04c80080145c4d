// The name matters: mocha looks for `.mocharc.cjs` first, up to the root, whose own is not meant for these ES modules.
module.exports = {
  "node-option": ["import=tsx"],
  spec: ["test/**/*.test.ts"],
  // Counts are added to those of the root run.
  reporter: require.resolve("../../test/counting-reporter.cjs"),
  timeout: 20_000,
  forbidOnly: true,
  forbidPending: true,
};
