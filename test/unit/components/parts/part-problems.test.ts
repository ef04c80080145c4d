import assert from "node:assert/strict";
import { parseSettings, type PartData, type Settings } from "../../../../components";
import { partProblems } from "../../../../components/parts/part-problems";
import type { ZoneName } from "../../../../mesh";
import { lucid, settings } from "../../proof/lucid";
import { BASIS, TEXT, read, tells } from "./told";

const REQUIRED = { apiServerCidr: "10.77.0.10/32", nodeResolverIp: "10.96.64.53", consulIp: "10.96.64.54" };

describe("a part beside the others", () => {
  const zones: readonly ZoneName[] = ["ops", "chain", "wallet", "mesh", "edge"];
  let all: readonly PartData[];
  before(async () => {
    all = await Promise.all(zones.map((zone) => tells(zone)));
  });
  const problems = (zone: ZoneName, told: readonly PartData[], under: Settings = settings, basis = BASIS) =>
    partProblems(
      { zone, mesh: lucid, settings: under, text: TEXT, basis },
      read(...told.filter(({ part }) => part !== zone)),
    );
  const but = (part: ZoneName, changes: Partial<PartData>) =>
    all.map((data) => (data.part === part ? { ...data, ...changes } : data));
  const without = (...parts: readonly ZoneName[]) => all.filter(({ part }) => !parts.includes(part));

  for (const zone of zones) {
    it(`has nothing to wait for where all are deployed alike: ${zone}`, () => {
      assert.deepEqual(problems(zone, all), { refusals: [], notices: [] });
    });
  }

  it("waits for part mesh, which itself waits for nobody", () => {
    const { refusals } = problems("wallet", without("mesh"));
    assert.match(
      refusals.join("\n"),
      /^part mesh is not deployed \(stack organization\/lucid-mesh\/prod-mesh\).*run `pulumi up` of part mesh first$/,
    );
    assert.deepEqual(problems("mesh", []).refusals, []);
  });

  it("waits for the admission policies and the image of its own document and release", () => {
    const older = { ...BASIS, admission: "fedcba9876543210" };
    assert.match(problems("wallet", all, settings, older).refusals.join(), /are of another document or configuration/);
    const image = { ...BASIS, startGate: `${BASIS.startGate}-2` };
    assert.match(
      problems("wallet", all, settings, image).refusals.join(),
      /pods would wait for the image .*:1-2, and what part mesh has pushed is .*:1;/,
    );
  });

  it("says whose calls are closed until another part is deployed", () => {
    const { refusals, notices } = problems("wallet", without("ops", "edge"));
    assert.deepEqual(refusals, []);
    assert.deepEqual(notices, [
      "part ops is not deployed (stack organization/lucid-mesh/prod-ops): nobody of it is believed, so calls with it are refused; once it is, run `pulumi up` of part wallet again",
    ]);
  });

  it("says who does not believe it yet", () => {
    const { refusals, notices } = problems("wallet", but("ops", { believes: {} }));
    assert.deepEqual(refusals, []);
    assert.deepEqual(notices, ["part ops believes nobody of zone wallet; run `pulumi up` of part ops after this one"]);
  });

  it("says which parts are deployed from something else", () => {
    const [ops] = all;
    assert.ok(ops);
    const declaration = { document: "other", settings: { ...ops.declaration.settings, tracingEnabled: false } };
    assert.deepEqual(problems("wallet", but("ops", { declaration })).notices, [
      "part ops is deployed from another declaration than this one: another document, lucid-mesh:tracingEnabled; have the stacks of all parts say the same, and run `pulumi up` of each",
    ]);
  });

  it("may say for itself where it runs", () => {
    const elsewhere = parseSettings({
      ...REQUIRED,
      part: "wallet",
      context: "wallet",
      kubeconfig: "w",
      consulForwardPort: "1234",
    });
    assert.deepEqual(problems("wallet", all, elsewhere).notices, []);
  });

  describe("while its root is exchanged", () => {
    const step = (generations: string, key = "rootGenerations") =>
      parseSettings({ ...REQUIRED, [key]: `{"wallet": ${generations}}` });
    const given = (roots: number[], issuers = [1]) =>
      all.map((data) => ({
        ...data,
        believes: { ...data.believes, ...(data.believes.wallet && { wallet: { roots, issuers } }) },
      }));
    /** Settings are exchanged in all stacks alike; that they differ meanwhile is said elsewhere. */
    const steps = (told: readonly PartData[], under: Settings) => {
      const { refusals, notices } = problems("wallet", told, under);
      return { refusals, notices: notices.filter((notice) => !notice.includes("another declaration")) };
    };

    it("has the others run once the next root is trusted", () => {
      const { refusals, notices } = steps(all, step('{"trusted": [1, 2], "issuing": 1}'));
      assert.deepEqual(refusals, []);
      assert.deepEqual(
        notices.map((notice) => notice.split(";")[0]),
        ["ops", "chain", "mesh"].map((part) => `part ${part} has been given other authorities of zone wallet`),
      );
    });

    it("issues by the next root once every part that is deployed has it", () => {
      const next = step('{"trusted": [1, 2], "issuing": 2}');
      assert.match(
        steps(all, next).refusals.join("\n"),
        /part ops \(stack .*prod-ops\) would refuse what root 2 of zone wallet signs: it has not been given it; run `pulumi up` of part ops, and then of this one/,
      );
      assert.deepEqual(steps(given([1, 2]), next), { refusals: [], notices: [] });
      const [refusal = "", ...others] = steps(without("ops", "chain", "mesh", "edge"), next).refusals;
      assert.match(refusal, /part mesh is not deployed/);
      assert.deepEqual(others, []);
    });

    it("does so for issuing authorities", () => {
      const next = step('{"kept": [1, 2], "issuing": 2}', "issuingGenerations");
      assert.match(steps(all, next).refusals.join(), /would refuse what issuing authority 2 of zone wallet signs/);
      assert.deepEqual(steps(given([1], [1, 2]), next), { refusals: [], notices: [] });
    });

    it("waits for nobody where the old one is compromised", () => {
      assert.deepEqual(steps(all, step('{"trusted": [2], "issuing": 2, "compromised": [1]}')).refusals, []);
    });
  });
});
