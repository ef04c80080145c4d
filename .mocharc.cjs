module.exports = {
  require: ["tsx/cjs"],
  reporter: "test/counting-reporter.cjs",
  timeout: 20_000,
  color: process.stdout.isTTY === true,
  // What a test leaves open (a port-forward's far end) must not keep the run from ending.
  exit: true,
  forbidOnly: true,
  // A test that is skipped quietly is a defect.
  forbidPending: true,
};
