import assert from "node:assert/strict";
import { defaultsOf, parameterSchema, valuesOf } from "../../../policies/judgement/parameters";
import { resourceRules } from "../../../policies/rules";

const PARAMETERS = { most: { default: 5, minimum: 1, maximum: 9, description: "Most of it." } } as const;
const problems = (configuration: Readonly<Record<string, unknown>>) =>
  valuesOf(PARAMETERS, configuration).problems.map(({ path, problem, mend }) => `${path}: ${problem}; ${mend}`);

describe("a rule's parameters", () => {
  it("have defaults, and are set by the rule's configuration", () => {
    assert.deepEqual(valuesOf(PARAMETERS, {}), { values: { most: 5 }, problems: [] });
    assert.deepEqual(valuesOf(PARAMETERS, { most: 9 }), { values: { most: 9 }, problems: [] });
  });

  for (const [title, value] of [
    ["too little", 0],
    ["too much", 10],
    ["a fraction", 1.5],
    ["a text", "5"],
    ["null", null],
    ["nothing", undefined],
    ["a list", [5]],
  ] as const) {
    it(`are whole numbers within bounds, and not ${title}`, () => {
      assert.deepEqual(problems({ most: value }), [
        "most: it is no number that the rule could judge by; give a whole number from 1 to 9",
      ]);
      assert.deepEqual(valuesOf(PARAMETERS, { most: value }).values, { most: 5 });
    });
  }

  it("are known by their names, and the ceiling's keys are none of them", () => {
    assert.match(problems({ least: 1 }).join(), /no parameter `least`; take it out \(it has most\)/);
    assert.match(problems({ toString: 1 }).join(), /no parameter `toString`/);
    const [none] = valuesOf({}, { members: {} }).problems;
    assert.match(none?.mend ?? "", /it has none\); keys of the ceiling stand under `ceiling`, once for all rules/);
  });

  it("are shown to CrossGuard with their bounds", () => {
    assert.deepEqual(parameterSchema(PARAMETERS), { properties: { most: { type: "integer", ...PARAMETERS.most } } });
    assert.deepEqual(parameterSchema(), { properties: {} });
  });

  for (const { name, parameters } of resourceRules.filter((rule) => rule.parameters !== undefined)) {
    it(`of ${name} have defaults within their bounds`, () => {
      const { problems: wrong } = valuesOf(parameters, defaultsOf(parameters));
      assert.deepEqual(wrong, []);
    });
  }
});
