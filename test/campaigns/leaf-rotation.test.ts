import { rotateLeavesUnderLoad } from "../integration/support/leaf-rotation";

const MINUTE = 60;

describe("every leaf certificate replaced every five minutes for half an hour, under load", function () {
  this.timeout(45 * MINUTE * 1000);

  it("fails no request, replaces no pod, and every sidecar serves its new one each time", () =>
    rotateLeavesUnderLoad({ rounds: 6, intervalSeconds: 5 * MINUTE, lifeMinutes: 10 }));
});
