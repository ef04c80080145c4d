import assert from "node:assert/strict";
import { parseSettings } from "../../components";
import { NETWORKS, DATACENTERS, ceilingOf, meshesOf } from "../integration/support/stacks/datacenters-document";
import { readCeiling } from "../../policies/ceiling/reading";
import { judgeResource } from "../../policies/judgement/rule";
import { resourceRules, stackRules } from "../../policies/rules";
import { planViolations } from "../../proof";
import { ISSUER, KEY_SETS } from "../unit/envoy/datacenters-fixture";
import { rehearsed } from "../unit/proof/lucid";

const PLACES = {
  north: { addresses: ["10.77.0.10"], pods: ["10.244.1.0/24"], issuer: ISSUER, keySet: KEY_SETS["keys/north.json"] },
  south: { addresses: ["10.78.0.10"], pods: ["10.245.1.0/24"], issuer: ISSUER, keySet: KEY_SETS["keys/south.json"] },
};

/** What two embedded clusters deploy as datacenters (`test/campaigns/datacenters.test.ts`), before there is one: each plan by its ceiling, as the pack reads it. */
describe("each of two joined clusters' datacenters passes proof and pack", function () {
  this.timeout(120_000);
  const meshes = meshesOf(PLACES);

  const cases = DATACENTERS.flatMap((datacenter) => [[datacenter, "false"] as const, [datacenter, "true"] as const]);
  for (const [datacenter, autoRotateCerts] of cases) {
    it(autoRotateCerts === "true" ? `${datacenter}, with issuers` : datacenter, async () => {
      const under = parseSettings({
        apiServerCidr: `${NETWORKS[datacenter].controlPlaneAddress}/32`,
        nodeResolverIp: "10.96.64.53",
        consulIp: "10.96.64.54",
        consulServers: "1",
        tracingEnabled: "false",
        autoRotateCerts,
        datacenter,
        datacenterStacks: "{}",
      });
      const mesh = meshes[datacenter];
      const resources = await rehearsed(mesh, {}, under);
      assert.deepEqual(planViolations(mesh, under, resources), []);
      const written = JSON.parse(JSON.stringify(ceilingOf(datacenter, PLACES, meshes))) as unknown;
      const { ceiling, problems } = readCeiling(written, { rules: new Map(), now: new Date() });
      assert.deepEqual(problems, []);
      assert.ok(ceiling);
      const alone = resources.flatMap((resource) =>
        resourceRules
          .filter((rule) => rule.concerns(resource.type))
          .flatMap((rule) => judgeResource(rule, resource, ceiling).map((finding) => ({ resource, ...finding }))),
      );
      const together = stackRules.flatMap((rule) => rule.judge(resources, ceiling));
      assert.deepEqual(
        [...alone, ...together].map(({ resource, path, problem }) => `${resource.name}: ${path}: ${problem}`),
        [],
      );
    });
  }
});
