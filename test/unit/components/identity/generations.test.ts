import assert from "node:assert/strict";
import { describeGenerations, FIRST_GENERATIONS, generationsOf } from "../../../../components/identity/generations";
import { parseSettings } from "../../../../components/stack/settings";

const REQUIRED = { apiServerCidr: "10.0.0.1/32", nodeResolverIp: "10.96.0.53", consulIp: "10.96.0.54" };
const roots = (value: unknown) =>
  parseSettings({ ...REQUIRED, rootGenerations: typeof value === "string" ? value : JSON.stringify(value) });

describe("generations of authorities", () => {
  it("are the first where nothing is said, zone by zone", () => {
    const settings = roots({ ops: { trusted: [2, 1], issuing: 2 } });
    assert.deepEqual(generationsOf("ops", settings).roots, { accepted: [1, 2], issuing: 2, compromised: [] });
    assert.deepEqual(generationsOf("chain", settings), FIRST_GENERATIONS);
    assert.deepEqual(generationsOf("ops", parseSettings(REQUIRED)), FIRST_GENERATIONS);
  });

  it("have a short text, and none where they are the first", () => {
    assert.equal(describeGenerations(FIRST_GENERATIONS), undefined);
    const settings = roots({ ops: { trusted: [1, 2], issuing: 1 } });
    assert.equal(describeGenerations(generationsOf("ops", settings)), "roots 1,2>1 issuers 1>1");
  });

  it("can be lost without being a number that is in use", () => {
    const settings = roots({ ops: { trusted: [2], issuing: 2, compromised: [1] } });
    assert.deepEqual(generationsOf("ops", settings).roots.compromised, [1]);
  });

  const refused: readonly [title: string, value: unknown, message: RegExp][] = [
    ["text that is no JSON", "ops: 2", /rootGenerations: .*no JSON object/],
    ["a list", [1], /rootGenerations: .*no JSON object/],
    [
      "an unknown zone",
      { opps: { trusted: [1], issuing: 1 } },
      /rootGenerations: has an unknown key: opps|rootGenerations: opps is no zone/,
    ],
    [
      "an unknown key",
      { ops: { trusted: [1], issuing: 1, kept: [1] } },
      /rootGenerations: ops has an unknown key: kept/,
    ],
    ["no trusted root", { ops: { trusted: [], issuing: 1 } }, /ops\.trusted is empty/],
    ["generation 0", { ops: { trusted: [0], issuing: 0 } }, /counts from 1/],
    ["half a generation", { ops: { trusted: [1.5], issuing: 1 } }, /whole number/],
    ["a generation twice", { ops: { trusted: [1, 1], issuing: 1 } }, /ops names a generation twice/],
    ["a root that issues and is not trusted", { ops: { trusted: [1], issuing: 2 } }, /no peer would believe/],
    [
      "a compromised root that is trusted",
      { ops: { trusted: [1, 2], issuing: 2, compromised: [1] } },
      /take it out of/,
    ],
  ];
  for (const [title, value, message] of refused) {
    it(`refuse ${title}`, () => {
      assert.throws(() => roots(value), message);
    });
  }

  it("tell the order of the steps where one was skipped", () => {
    assert.throws(
      () => roots({ ops: { trusted: [1], issuing: 2 } }),
      /trusted \[1, 2\], and pulumi up; .*issuing 2, and pulumi up; .*take the old one out of trusted, and pulumi up/,
    );
    assert.throws(
      () => parseSettings({ ...REQUIRED, issuingGenerations: '{"ops": {"kept": [1], "issuing": 2}}' }),
      /issuingGenerations: ops .*revocation list.*kept \[1, 2\]/,
    );
  });
});
