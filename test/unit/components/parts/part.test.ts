import assert from "node:assert/strict";
import { parseSettings, zonesOfPart } from "../../../../components";
import { stackOfPart } from "../../../../components/parts/part";
import { ZONES } from "../../../../mesh";

const REQUIRED = { apiServerCidr: "10.0.0.1/32", nodeResolverIp: "10.96.0.53", consulIp: "10.96.0.54" };
const at = (stack: string) => ({ organization: "acme", project: "lucid-mesh", stack });

describe("a part of the mesh", () => {
  it("is all of it unless a stack says otherwise", () => {
    assert.equal(parseSettings(REQUIRED).part, "all");
    assert.deepEqual(zonesOfPart("all"), ZONES);
    assert.deepEqual(zonesOfPart("wallet"), ["wallet"]);
  });

  const refused: readonly [title: string, change: Record<string, string>, expected: RegExp][] = [
    [
      "a part that there is not",
      { part: "payments" },
      /part: is no part; parts are all, ops, chain, wallet, mesh, edge/,
    ],
    ["stacks that are no JSON", { partStacks: "prod-ops" }, /partStacks: is no JSON object by part/],
    ["a stack of no part", { partStacks: '{"payments": "a/b/c"}' }, /partStacks: has an unknown key: payments/],
    ["a stack without its project", { partStacks: '{"ops": "prod-ops"}' }, /partStacks: ops is neither <organization>/],
    ["a stack that is a number", { partStacks: '{"ops": 1}' }, /partStacks: ops is neither a stack's name/],
  ];
  for (const [title, change, expected] of refused) {
    it(`is refused with ${title}`, () => {
      assert.throws(() => parseSettings({ ...REQUIRED, ...change }), expected);
    });
  }

  it("finds the others by its own stack's name", () => {
    assert.equal(stackOfPart("ops", "wallet", at("prod-wallet")), "acme/lucid-mesh/prod-ops");
    assert.equal(stackOfPart("ops", "wallet", at("eu-1-wallet")), "acme/lucid-mesh/eu-1-ops");
    assert.equal(stackOfPart("ops", "wallet", at("wallet")), "acme/lucid-mesh/ops");
    assert.equal(stackOfPart("ops", "wallet", at("production")), undefined);
    assert.equal(stackOfPart("ops", "wallet", at("hotwallet")), undefined);
  });

  it("finds them where it is said", () => {
    const { partStacks } = parseSettings({
      ...REQUIRED,
      partStacks: '{"ops": "acme/platform/ops-eu", "chain": "told/chain.json", "edge": null}',
    });
    const of = (part: "ops" | "chain" | "edge" | "mesh") => stackOfPart(part, "wallet", at("production"), partStacks);
    assert.equal(of("ops"), "acme/platform/ops-eu");
    assert.equal(of("chain"), "told/chain.json");
    assert.equal(of("edge"), null);
    assert.equal(of("mesh"), undefined);
  });
});
