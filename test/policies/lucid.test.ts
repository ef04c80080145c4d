import assert from "node:assert/strict";
import { SHARED_PART } from "../../components";
import type { Mesh } from "../../components";
import { LUCID_CEILING } from "../../policies/ceiling";
import type { Ceiling } from "../../policies/ceiling";
import { judgeResource } from "../../policies/judgement/rule";
import type { StackResource } from "../../policies/judgement/rule";
import { resourceRules, stackRules } from "../../policies/rules";
import { datacenterMesh } from "../unit/envoy/datacenters-fixture";
import { externalMesh } from "../unit/envoy/external-fixture";
import { jobsMesh } from "../unit/envoy/jobs-fixture";
import { revokedMesh } from "../unit/envoy/revoked";
import { datacenterCeiling } from "./fixtures/datacenters";
import { EXTERNAL_CEILING } from "./fixtures/external";
import { JOBS_CEILING } from "./fixtures/jobs";
import { ETCD_BACKEND, lucid, plannedResources } from "./support/planned";

/** Lucid itself, with services revoked, and a mesh with jobs by a ceiling that names them. */
const KINDS = ["Namespace", "Deployment", "StatefulSet", "DaemonSet", "NetworkPolicy", "ConfigMap"];
interface Declared {
  readonly title: string;
  readonly mesh: Mesh;
  readonly ceiling: Ceiling;
  readonly kinds: readonly string[];
  readonly changes?: Readonly<Record<string, string>>;
  /** Rules about what is not declared. */
  readonly idle?: readonly string[];
}
const ROTATING = { autoRotateCerts: "true", leafValidityHours: "8" };
const DECLARED: readonly Declared[] = [
  { title: "Lucid", mesh: lucid, ceiling: LUCID_CEILING, kinds: KINDS },
  { title: "Lucid with a service revoked", mesh: revokedMesh("payout-router"), ceiling: LUCID_CEILING, kinds: KINDS },
  {
    title: "Lucid with services revoked",
    mesh: revokedMesh("payout-router", "prometheus"),
    ceiling: LUCID_CEILING,
    kinds: KINDS,
  },
  {
    title: "Lucid with etcd",
    mesh: lucid,
    ceiling: LUCID_CEILING,
    kinds: KINDS,
    changes: ETCD_BACKEND,
    idle: ["consul-least-privilege"],
  },
  { title: "Lucid with issuers", mesh: lucid, ceiling: LUCID_CEILING, kinds: KINDS, changes: ROTATING },
  {
    title: "Lucid with issuers and services revoked",
    mesh: revokedMesh("payout-router", "prometheus"),
    ceiling: LUCID_CEILING,
    kinds: KINDS,
    changes: ROTATING,
  },
  { title: "a mesh with services outside", mesh: externalMesh(), ceiling: EXTERNAL_CEILING, kinds: KINDS },
  ...(["north", "south", "east"] as const).map((datacenter) => ({
    title: `datacenter ${datacenter}`,
    mesh: datacenterMesh(datacenter, true),
    ceiling: datacenterCeiling(datacenter),
    kinds: KINDS,
    changes: { datacenter, datacenterStacks: "{}" },
  })),
  { title: "a mesh with jobs", mesh: jobsMesh(), ceiling: JOBS_CEILING, kinds: ["Deployment", "Job", "CronJob"] },
];

/** The rules share no code with what declares a mesh; here they meet. */
for (const { title, mesh, ceiling, kinds, changes, idle = [] } of DECLARED) {
  describe(`what ${title} declares passes the pack`, function () {
    this.timeout(180_000);

    let registered: readonly StackResource[] = [];

    before(async () => {
      registered = await plannedResources(mesh, changes);
    });

    it("registers its resources", () => {
      for (const kind of kinds) {
        assert.ok(
          registered.some(({ type }) => type.endsWith(`:${kind}`)),
          kind,
        );
      }
    });

    for (const rule of resourceRules) {
      it(rule.name, () => {
        const concerned = registered.filter(({ type }) => rule.concerns(type));
        const findings = concerned.flatMap((resource) =>
          judgeResource(rule, resource, ceiling).map(
            (finding) => `${resource.name}: ${finding.path}: ${finding.problem}`,
          ),
        );
        assert.ok(concerned.length > 0 || idle.includes(rule.name), "the rule concerns nothing that is declared");
        assert.deepEqual(findings, []);
      });
    }

    for (const rule of stackRules) {
      it(rule.name, () => {
        const findings = rule.judge(registered, ceiling);
        assert.deepEqual(
          findings.map(({ resource, problem }) => `${resource.name}: ${problem}`),
          [],
        );
      });
    }
  });
}

/** Planes may stand in stacks of their own: each is judged by what it shows, without false alarm. */
describe("each zone of Lucid, deployed by a stack of its own, passes the pack", function () {
  this.timeout(60_000);

  for (const [{ name: zone, namespace }, changes] of lucid.zones.flatMap((each) =>
    [{}, ROTATING].map((changed) => [each, changed] as const),
  )) {
    it(`${zone}${"autoRotateCerts" in changes ? ", with its issuer" : ""}`, async () => {
      const own = (await plannedResources(lucid, changes)).filter(({ name, type, properties }) => {
        const key = type.endsWith(":Namespace") ? "name" : "namespace";
        const place = properties.at("metadata", key);
        // Rights at Consul stand in no zone, as what is the whole cluster's.
        const isShared = /^(kubernetes|consul):/.test(type) && !lucid.zones.some((other) => place.is(other.namespace));
        return place.is(namespace) || name.startsWith(`${zone}-ca`) || (zone === SHARED_PART && isShared);
      });
      assert.ok(own.some(({ type }) => type.endsWith(":Namespace")));
      const alone = own.flatMap((resource) =>
        resourceRules
          .filter((rule) => rule.concerns(resource.type))
          .flatMap((rule) => judgeResource(rule, resource, LUCID_CEILING).map((finding) => ({ resource, ...finding }))),
      );
      const together = stackRules.flatMap((rule) => rule.judge(own, LUCID_CEILING));
      assert.deepEqual(
        [...alone, ...together].map(({ resource, path, problem }) => `${resource.name}: ${path}: ${problem}`),
        [],
      );
    });
  }
});
