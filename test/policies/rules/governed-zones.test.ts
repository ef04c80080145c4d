import assert from "node:assert/strict";
import { LUCID_CEILING } from "../../../policies/ceiling";
import type { Ceiling } from "../../../policies/ceiling";
import { Field } from "../../../policies/judgement/field";
import { plainCopy } from "../../../policies/judgement/plain";
import { governedZones } from "../../../policies/rules/governed-zones";
import { configMap, defaultDeny, namespace, payoutRouterPolicy, secret, serviceAccount } from "../fixtures/objects";
import { consul, deployment } from "../fixtures/workloads";
import { edit } from "../support/edit";
import type { Json } from "../support/edit";
import type { TestResource } from "../support/judge";
import { UNKNOWN, asHandedOver } from "../support/unknown";

const JOINED: Ceiling = { ...LUCID_CEILING, joined: { "wallet/payout-router": "its own cluster brings it" } };

function findings(resources: readonly TestResource[], ceiling = JOINED): string[] {
  const planned = resources.map(({ type, properties }, index) => ({
    type,
    name: `test-${String(index)}`,
    urn: `urn:pulumi:dev::test::${type}::test-${String(index)}`,
    properties: new Field(plainCopy(asHandedOver(properties))),
    origins: () => [],
  }));
  return governedZones(planned, ceiling).map(({ path, problem }) => `${path}: ${problem}`);
}

function changed({ type, properties }: TestResource, path: string, value: Json | undefined): TestResource {
  return { type, properties: edit(properties, path, value) };
}

const object = (type: string, name: string, namespace = "lucid-wallet"): TestResource => ({
  type: `kubernetes:${type}`,
  properties: { metadata: { name, namespace } },
});

const foundations = [
  serviceAccount(),
  configMap("payout-router-envoy", {}),
  configMap("payout-router-trust", {}),
  secret({}),
];
const zone = [namespace(), defaultDeny()];

describe("a plan that governs a zone", () => {
  it("has in it what its pods stand on", () => {
    assert.deepEqual(findings([...zone, ...foundations, deployment()], LUCID_CEILING), []);
  });

  it("may leave the account out of a Deployment without pods, and nothing else", () => {
    const idle = changed(deployment(), "spec.replicas", 0);
    assert.deepEqual(findings([...zone, ...foundations.slice(1), idle], LUCID_CEILING), []);
    const [found = ""] = findings([...zone, ...foundations.slice(2), idle], LUCID_CEILING);
    assert.match(found, /stand on ConfigMap payout-router-envoy, which/);
    for (const replicas of [1, undefined]) {
      const running = changed(deployment(), "spec.replicas", replicas);
      assert.equal(findings([...zone, ...foundations.slice(1), running], LUCID_CEILING).length, 1);
    }
  });

  for (const [index, missing] of [
    "ServiceAccount payout-router",
    "ConfigMap payout-router-envoy",
    "ConfigMap payout-router-trust",
    "Secret payout-router-tls",
  ].entries()) {
    it(`is refused without ${missing}, joined or not`, () => {
      const rest = foundations.filter((_, at) => at !== index);
      for (const ceiling of [LUCID_CEILING, JOINED]) {
        const [found = "", ...others] = findings([...zone, ...rest, deployment()], ceiling);
        assert.ok(found.includes(`stand on ${missing}, which the plan does not have`), found);
        assert.deepEqual(others, []);
      }
    });
  }

  it("is not helped by what lies in another zone", () => {
    const elsewhere = foundations.map((one) => changed(one, "metadata.namespace", "lucid-ops"));
    const found = findings([...zone, namespace("ops"), ...elsewhere, deployment()]);
    assert.match(found.join("\n"), /ServiceAccount payout-router, ConfigMap .*, which the plan does not have/);
  });

  it("may leave the pods of a service to another stack", () => {
    assert.deepEqual(findings([...zone, ...foundations, payoutRouterPolicy()], LUCID_CEILING), []);
  });

  it("may have infrastructure, which has no sidecar", () => {
    assert.deepEqual(findings([namespace("mesh"), consul()], LUCID_CEILING), []);
  });

  it("may make cluster-wide objects, which are judged by themselves", () => {
    assert.deepEqual(findings([...zone, object("rbac.authorization.k8s.io/v1:ClusterRole", "reader")]), []);
  });
});

describe("a plan that joins a zone", () => {
  const own = [
    deployment(),
    object("policy/v1:PodDisruptionBudget", "payout-router"),
    object("core/v1:ConfigMap", "payout-router-settings"),
    object("core/v1:Secret", "payout-router-keys"),
    object("core/v1:PersistentVolumeClaim", "payout-router-data"),
    object("core/v1:Service", "payout-router"),
  ];

  it("brings the pods of a member that the ceiling lets join, and what is theirs", () => {
    assert.deepEqual(findings(own), []);
  });

  it("is refused where the ceiling says nothing of it", () => {
    const found = findings([deployment()], LUCID_CEILING);
    assert.deepEqual(found, [
      ": the plan brings pods of wallet/payout-router and not the zone that they stand in, so nobody judges what their sidecar reads and who reaches them",
    ]);
  });

  it("is refused for any other than the member that may join, infrastructure too", () => {
    assert.match(findings([deployment("tron-payment")]).join(), /pods of wallet\/tron-payment/);
    assert.match(findings([deployment("payout-router", "ops")]).join(), /pods of ops\/payout-router/);
    assert.match(findings([consul()]).join(), /pods of mesh\/consul/);
  });

  const governing: TestResource[] = [
    payoutRouterPolicy(),
    defaultDeny(),
    serviceAccount(),
    object("rbac.authorization.k8s.io/v1:Role", "payout-router"),
    object("rbac.authorization.k8s.io/v1:RoleBinding", "payout-router"),
    object("core/v1:ResourceQuota", "payout-router"),
    object("core/v1:LimitRange", "payout-router"),
  ];
  for (const resource of governing) {
    it(`is refused a ${resource.type}, with its pods or alone`, () => {
      for (const resources of [[resource], [...own, resource]]) {
        const [found = "", ...others] = findings(resources);
        assert.match(found, /decides who is who in zone wallet or who reaches whom/);
        assert.deepEqual(others, []);
      }
    });
  }

  for (const cluster of ["ClusterRole", "ClusterRoleBinding"]) {
    it(`is refused a ${cluster}`, () => {
      const resource = object(`rbac.authorization.k8s.io/v1:${cluster}`, "reader");
      assert.match(findings([...own, resource]).join(), /holds in every zone/);
      assert.deepEqual(findings([resource]), [], "a plan that joins nothing is no business of this rule");
    });
  }

  for (const [title, resource] of [
    ["the sidecar's configuration", configMap("payout-router-envoy", {})],
    ["its trust", configMap("payout-router-trust", {})],
    ["its certificate", secret({})],
  ] as const) {
    it(`is refused ${title}`, () => {
      assert.match(findings([...own, resource]).join(), /the sidecar of wallet\/payout-router reads/);
    });
  }

  it("is refused what bears another member's name, or nobody's", () => {
    const named = (name: string, ceiling = JOINED) => findings([object("core/v1:ConfigMap", name)], ceiling).join();
    assert.match(named("tron-payment-settings"), /bears the name of wallet\/tron-payment/);
    assert.match(named("mesh-tokens"), /bears no member's name/);
    assert.match(named("payout-routers"), /bears no member's name/);
    const members = { ...LUCID_CEILING.members, wallet: ["payout-router", "payout-router-audit"] };
    assert.match(named("payout-router-audit", { ...JOINED, members }), /the name of wallet\/payout-router-audit/);
    assert.equal(named("payout-router-auditor", { ...JOINED, members }), "");
  });

  const VOLUMES = "spec.template.spec.volumes";
  const CONTAINER = "spec.template.spec.containers[0]";
  const reading: [string, string, Json][] = [
    ["Secret as a volume", `${VOLUMES}[0]`, { name: "x", secret: { secretName: "tron-payment-keys" } }],
    ["ConfigMap as a volume", `${VOLUMES}[0]`, { name: "x", configMap: { name: "tron-payment-settings" } }],
    ["claim", `${VOLUMES}[0]`, { name: "x", persistentVolumeClaim: { claimName: "tron-payment" } }],
    ["projected Secret", `${VOLUMES}[0]`, { name: "x", projected: { sources: [{ secret: { name: "consul-tls" } }] } }],
    [
      "Secret in a variable",
      `${CONTAINER}.env[0]`,
      { name: "K", valueFrom: { secretKeyRef: { name: "other", key: "k" } } },
    ],
    [
      "ConfigMap in a variable",
      `${CONTAINER}.env[0]`,
      { name: "K", valueFrom: { configMapKeyRef: { name: "other", key: "k" } } },
    ],
    ["Secret as variables", `${CONTAINER}.envFrom`, [{ secretRef: { name: "other" } }]],
    ["ConfigMap as variables", `${CONTAINER}.envFrom`, [{ configMapRef: { name: "other" } }]],
  ];
  for (const [title, path, value] of reading) {
    it(`is refused pods that read another's ${title}`, () => {
      assert.match(findings([changed(deployment(), path, value)]).join(), /read `[a-z-]+`, which is not theirs/);
    });
  }

  it("is refused what can't be known", () => {
    const unknown = [
      changed(deployment(), "metadata.name", UNKNOWN),
      changed(deployment(), "spec.template.spec.serviceAccountName", UNKNOWN),
      changed(deployment(), `${VOLUMES}[0]`, UNKNOWN),
      changed(object("core/v1:ConfigMap", "payout-router-settings"), "metadata.name", UNKNOWN),
      changed(object("core/v1:ConfigMap", "payout-router-settings"), "metadata.namespace", UNKNOWN),
    ];
    for (const resource of unknown) assert.match(findings([resource]).join(), /can't be known at preview/);
  });

  it("may govern another zone beside", () => {
    assert.deepEqual(findings([namespace("ops"), ...own]), []);
  });

  it("leaves other namespaces alone", () => {
    const outside = object("rbac.authorization.k8s.io/v1:Role", "reader", "team");
    assert.deepEqual(findings([...own, outside]), []);
  });
});
