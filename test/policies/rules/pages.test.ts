import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import * as path from "node:path";
import { LUCID_CEILING } from "../../../policies/ceiling";
import { Pack } from "../../../policies/judgement/pack";
import { resourceRules, stackRules } from "../../../policies/rules";

const FOLDER = path.resolve(__dirname, "../../../docs/policies");
/** Pages about something else than one rule. */
const OTHERS = ["README.md", "mutations.md", "reachability.md"];
const RULES = [...resourceRules, ...stackRules];

const policies = new Pack(resourceRules, stackRules).policies();
const page = (name: string) => readFileSync(path.join(FOLDER, `${name}.md`), "utf8");

describe("the rules' pages", () => {
  it("are one for each rule, and no more", () => {
    const pages = readdirSync(FOLDER).filter((file) => file.endsWith(".md") && !OTHERS.includes(file));
    assert.deepEqual(pages.sort(), policies.map(({ name }) => `${name}.md`).sort());
  });

  it("are all in the index, with their severity", () => {
    const index = page("README");
    for (const { name, severity } of policies)
      assert.ok(index.includes(`| [${name}](${name}.md) | ${severity ?? ""} |`), name);
  });

  for (const { name, severity, url, remediationSteps, description } of policies) {
    it(`${name} has its text, its link and its mend`, () => {
      assert.equal(url, `docs/policies/${name}.md`);
      for (const text of [remediationSteps, description]) assert.match(text ?? "", /\.$/);
      const text = page(name);
      assert.ok(text.startsWith(`# ${name}\n`));
      assert.ok(text.includes(`| severity | ${severity ?? ""} |`), "severity");
      for (const heading of ["Why", "Refused", "Allowed", "Mend"])
        assert.ok(text.includes(`\n## ${heading}\n`), heading);
      assert.match(text, /\nSource: \[.+\]\(.+\)\n$/);
    });
  }

  for (const { name, uses, takesExceptions } of RULES) {
    it(`${name} says which keys of the ceiling it reads, and whether it takes exceptions`, () => {
      const [, keys = ""] = /\| reads of the \[ceiling\]\(ceiling\.md\) \| (.*) \|/.exec(page(name)) ?? [];
      assert.deepEqual(keys, uses.map((key) => `\`${key}\``).join(", ") || "none");
      assert.match(
        page(name),
        takesExceptions === true ? /\n## Exceptions\n\nTaken: / : /\n## Exceptions\n\nNone\. \S/,
      );
    });
  }

  for (const { name, parameters = {} } of resourceRules) {
    it(`${name} says its parameters, with default and bounds`, () => {
      const rows = [...page(name).matchAll(/^\| `(\w+)` \| ([\d,]+) \| ([\d,]+) – ([\d,]+) \| (.*) \|$/gm)].map(
        ([, parameter, ...rest]) => [parameter, ...rest.map((text) => text.replaceAll(",", ""))],
      );
      const expected = Object.entries(parameters).map(
        ([parameter, { default: usual, minimum, maximum, description }]) => [
          parameter,
          ...[usual, minimum, maximum, description].map((value) => String(value).replaceAll(",", "")),
        ],
      );
      assert.deepEqual(rows, expected);
    });
  }

  it("of the ceiling names each of its keys", () => {
    for (const key of Object.keys(LUCID_CEILING)) assert.ok(page("ceiling").includes(`\`${key}\``), key);
  });
});
