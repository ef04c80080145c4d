import assert from "node:assert/strict";
import type { PartData, Settings } from "../../components";
import { ZONES } from "../../mesh";
import { LUCID_CEILING } from "../../policies/ceiling";
import { judgeResource } from "../../policies/judgement/rule";
import type { StackResource } from "../../policies/judgement/rule";
import { resourceRules, stackRules } from "../../policies/rules";
import { tells } from "../unit/components/parts/told";
import { etcdSettings, lucid, settings } from "../unit/proof/lucid";
import { partOf, rehearsedPart } from "../unit/proof/parts";

const BACKENDS: readonly (readonly [title: string, settings: Settings])[] = [
  ["Consul", settings],
  ["etcd", etcdSettings],
];

/** What every rule says of a plan, each resource by itself and all together. */
function findings(resources: readonly StackResource[]): readonly string[] {
  const alone = resources.flatMap((resource) =>
    resourceRules
      .filter((rule) => rule.concerns(resource.type))
      .flatMap((rule) => judgeResource(rule, resource, LUCID_CEILING).map((finding) => ({ resource, ...finding }))),
  );
  const together = stackRules.flatMap((rule) => rule.judge(resources, LUCID_CEILING));
  return [...alone, ...together].map(({ resource, path, problem }) => `${resource.name}: ${path}: ${problem}`);
}

/** As at a first preview: what only the update makes is unknown, what other stacks told is known. */
describe("each part of Lucid, as its stack's program declares it, passes the pack", function () {
  this.timeout(120_000);
  let told: readonly PartData[];
  before(async () => {
    told = await Promise.all(ZONES.map((zone) => tells(zone)));
  });

  for (const [backend, under] of BACKENDS) {
    for (const zone of ZONES) {
      const resources = (others: readonly PartData[]) =>
        rehearsedPart(lucid, { ...under, part: zone }, partOf(lucid, zone, others, under));

      it(`${zone}, with ${backend}, where nobody else is deployed yet`, async () => {
        assert.deepEqual(findings(await resources([])), []);
      });

      it(`${zone}, with ${backend}, beside all others`, async () => {
        assert.deepEqual(findings(await resources(told.filter(({ part }) => part !== zone))), []);
      });
    }
  }

  it("and is refused with one root for two zones", async () => {
    const [ops, wallet] = [told.find(({ part }) => part === "ops"), told.find(({ part }) => part === "wallet")];
    assert.ok(ops && wallet);
    const same = { ...wallet, trust: { ...wallet.trust, rootsPem: ops.trust.rootsPem } };
    const chain = await rehearsedPart(lucid, { ...settings, part: "chain" }, partOf(lucid, "chain", [ops, same]));
    assert.match(findings(chain).join("\n"), /whom the CA of zone \w+ certifies, .* takes for one of zone \w+, too/);
  });
});
