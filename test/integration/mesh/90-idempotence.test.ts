import assert from "node:assert/strict";
import { pulumi } from "../support/pulumi";

describe("a second pulumi up", () => {
  it("changes nothing", async () => {
    const started = Date.now();
    const { status, output } = await pulumi(
      "up",
      "--yes",
      "--non-interactive",
      "--expect-no-changes",
      "--policy-pack",
      "policies",
    );
    assert.equal(status, 0, output);
    console.log(`      ${((Date.now() - started) / 1000).toFixed(1)} s`);
  });
});
