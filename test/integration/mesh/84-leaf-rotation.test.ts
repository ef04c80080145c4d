import { rotateLeavesUnderLoad } from "../support/leaf-rotation";

describe("every leaf certificate replaced under load", function () {
  this.timeout(600_000);

  it("fails no request, replaces no pod, and every sidecar serves its new one", () =>
    rotateLeavesUnderLoad({ rounds: 1, intervalSeconds: 0, lifeMinutes: 10 }));
});
