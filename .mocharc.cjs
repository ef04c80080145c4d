module.exports = {
  require: ["tsx/cjs"],
  reporter: "test/counting-reporter.cjs",
  timeout: 20_000,
  forbidOnly: true,
  // A test that is skipped quietly is a defect.
  forbidPending: true,
};
