import assert from "node:assert/strict";
import { parseConfig } from "../src/config.js";

const HAPPY = {
  GATE_ADDRESS: "10.96.64.53",
  GATE_OPEN_PORT: "53",
  GATE_CANARY_PORT: "8181",
  GATE_TIMEOUT_SECONDS: "60",
};

describe("start gate: settings", () => {
  it("reads them", () => {
    assert.deepEqual(parseConfig(HAPPY), {
      address: "10.96.64.53",
      openPort: 53,
      canaryPort: 8181,
      timeoutSeconds: 60,
    });
  });

  it("waits for 60 seconds unless told otherwise", () => {
    assert.equal(parseConfig({ ...HAPPY, GATE_TIMEOUT_SECONDS: undefined }).timeoutSeconds, 60);
  });

  for (const [name, value] of [
    ["GATE_ADDRESS", "node-resolver"],
    ["GATE_ADDRESS", undefined],
    ["GATE_OPEN_PORT", "0"],
    ["GATE_OPEN_PORT", undefined],
    ["GATE_CANARY_PORT", "65536"],
    ["GATE_CANARY_PORT", "8181x"],
    ["GATE_CANARY_PORT", "53"],
    ["GATE_TIMEOUT_SECONDS", "0"],
    ["GATE_TIMEOUT_SECONDS", "-1"],
  ] as const) {
    it(`refuses ${name}=${String(value)}`, () => {
      assert.throws(() => parseConfig({ ...HAPPY, [name]: value }), new RegExp(`^Error: ${name}: `));
    });
  }

  it("names all problems at once, in one line", () => {
    assert.throws(
      () => parseConfig({ GATE_TIMEOUT_SECONDS: "soon" }),
      /GATE_ADDRESS: .*; GATE_OPEN_PORT: .*; GATE_CANARY_PORT: .*; GATE_TIMEOUT_SECONDS: [^\n]*$/,
    );
  });
});
