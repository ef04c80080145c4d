import assert from "node:assert/strict";
import { LUCID_CEILING } from "../../../policies/ceiling";
import { Field } from "../../../policies/judgement/field";
import { plainCopy } from "../../../policies/judgement/plain";
import { judgeResource } from "../../../policies/judgement/rule";
import { governedZones } from "../../../policies/rules/governed-zones";
import { issuersLeastPrivilege } from "../../../policies/rules/issuers-least-privilege";
import { rbacLeastPrivilege } from "../../../policies/rules/rbac-least-privilege";
import { sidecarRequired } from "../../../policies/rules/sidecar-required";
import { configMap, defaultDeny, namespace, role, roleBinding, serviceAccount } from "../fixtures/objects";
import { workload } from "../fixtures/etcd";
import { deployment } from "../fixtures/workloads";
import { edit } from "../support/edit";
import type { Json, JsonObject } from "../support/edit";
import { assertFinds, assertPasses, refusesEach } from "../support/judge";
import type { TestResource } from "../support/judge";
import { UNKNOWN, asHandedOver } from "../support/unknown";

const POD = "spec.template.spec";

/** The issuer of zone wallet. */
function issuer(name = "issuer-wallet"): TestResource {
  return workload(name, {
    [`${POD}.containers[0].name`]: "issuer",
    [`${POD}.containers[0].image`]: "registry.lucid.internal/lucid/mesh-controller:0.1.0",
    [`${POD}.containers[0].command`]: ["node", "/app/issuer.cjs"],
    [`${POD}.containers[0].args`]: [],
    [`${POD}.containers[0].env`]: [{ name: "ISSUER_ZONE", value: "wallet" }],
    [`${POD}.containers[0].volumeMounts`]: undefined as unknown as Json,
    [`${POD}.volumes`]: undefined as unknown as Json,
  });
}

function policy(): TestResource {
  const services = "payout-router\ntron-payment";
  return configMap("lucid-issuing", { services, validityHours: "24", algorithm: "ECDSA" });
}

const core = (resources: string, verbs: string[], resourceNames?: string[]): JsonObject => ({
  apiGroups: [""],
  resources: [resources],
  verbs,
  ...(resourceNames && { resourceNames }),
});

const RULES: JsonObject[] = [
  core("secrets", ["get"], ["lucid-issuing-tls"]),
  core("secrets", ["get", "patch"], ["payout-router-tls", "tron-payment-tls"]),
  core("secrets", ["create"]),
  core("configmaps", ["get"], ["lucid-issuing"]),
  core("configmaps", ["get", "patch"], ["payout-router-certificate", "tron-payment-certificate"]),
  core("configmaps", ["create"]),
  { apiGroups: ["mesh.lucid.internal"], resources: ["meshservices"], verbs: ["get", "list", "watch"] },
];

function named({ type, properties }: TestResource, path: string, value: Json): TestResource {
  return { type, properties: edit(properties, path, value) };
}
const issuerRole = () => named(role(RULES), "metadata.name", "lucid-issuer");
function issuerBinding(): TestResource {
  const { type, properties } = roleBinding();
  const changes: readonly (readonly [string, Json])[] = [
    ["metadata.name", "lucid-issuer"],
    ["roleRef.name", "lucid-issuer"],
    ["subjects[0].name", "issuer-wallet"],
  ];
  return { type, properties: changes.reduce((whole, [path, value]) => edit(whole, path, value), properties) };
}

describe("issuers-least-privilege", () => {
  describe("on an issuer's pod", () => {
    refusesEach(issuersLeastPrivilege, issuer, [
      {
        title: "a shell",
        path: `${POD}.containers[0].command`,
        value: ["sh", "-c", "x"],
        finds: /something else than/,
      },
      {
        title: "another program of the image",
        path: `${POD}.containers[0].command`,
        value: ["node"],
        finds: /something else/,
      },
      { title: "arguments", path: `${POD}.containers[0].args`, value: ["--inspect"], finds: /something else than/ },
      { title: "another zone", path: `${POD}.containers[0].env[0].value`, value: "ops", finds: /names another zone/ },
      { title: "no zone", path: `${POD}.containers[0].env`, value: [], finds: /not told its zone once/ },
      {
        title: "its zone twice",
        path: `${POD}.containers[0].env[1]`,
        value: { name: "ISSUER_ZONE", value: "wallet" },
        finds: /not told its zone once/,
      },
      {
        title: "what has Node load more",
        path: `${POD}.containers[0].env[1]`,
        value: { name: "NODE_OPTIONS", value: "--require=/tmp/x" },
        finds: /NODE_OPTIONS is .* none of its settings/,
      },
      {
        title: "another API server",
        path: `${POD}.containers[0].env[1]`,
        value: { name: "KUBERNETES_SERVICE_HOST", value: "10.0.0.1" },
        finds: /none of its settings/,
      },
      {
        title: "a name that every object has",
        path: `${POD}.containers[0].env[1]`,
        value: { name: "toString", value: "x" },
        finds: /none of its settings/,
      },
      {
        title: "settings from elsewhere",
        path: `${POD}.containers[0].envFrom`,
        value: [{ configMapRef: { name: "x" } }],
        finds: /settings from elsewhere/,
      },
      {
        title: "a hook",
        path: `${POD}.containers[0].lifecycle`,
        value: { postStart: { exec: { command: ["sh"] } } },
        finds: /something else than the issuer/,
      },
      {
        title: "somebody beside it",
        path: `${POD}.containers[1]`,
        value: { name: "other", image: "docker.io/fortio/fortio:1.66.2" },
        finds: /another container stands beside/,
      },
      {
        title: "further files",
        path: `${POD}.volumes`,
        value: [{ name: "x", secret: { secretName: "lucid-issuing-tls" } }],
        finds: /reads further files/,
      },
    ]);

    it("lets it say how often it looks, and how much it tells", () => {
      const more = [
        { name: "ISSUER_ZONE", value: "wallet" },
        { name: "ISSUER_INTERVAL", value: "10" },
        { name: "LOG_LEVEL", value: "debug" },
      ];
      assertPasses(issuersLeastPrivilege, named(issuer(), `${POD}.containers[0].env`, more));
    });

    it("is what lets its pod be without a sidecar, and nobody else's", () => {
      assertPasses(sidecarRequired, issuer());
      assertFinds(
        sidecarRequired,
        named(issuer(), `${POD}.containers[0].image`, "docker.io/fortio/fortio:1.66.2"),
        /no rule judges/,
      );
      assertFinds(sidecarRequired, named(issuer(), "metadata.name", "issuer"), /no sidecar/);
    });
  });

  describe("on whom it signs for", () => {
    refusesEach(issuersLeastPrivilege, policy, [
      {
        title: "a stranger",
        path: "data.services",
        value: "payout-router\nstranger",
        finds: /certificate for wallet\/stranger/,
      },
      { title: "another zone's", path: "data.services", value: "admin-ui", finds: /certificate for wallet\/admin-ui/ },
      { title: "a name with a zone", path: "data.services", value: "../ops/admin-ui", finds: /no listed member/ },
      { title: "a long life", path: "data.validityHours", value: "2161", finds: /would live/ },
      { title: "no life", path: "data.validityHours", finds: /would live missing hours/ },
      { title: "a datacenter's name", path: "data.datacenter", value: "north", finds: /bear the datacenter `north`/ },
      { title: "no number", path: "data.validityHours", value: "1e9", finds: /would live/ },
      { title: "a key of another kind", path: "data.algorithm", value: "DSA", finds: /of the kind `DSA`/ },
      { title: "what can't be known", path: "data.services", value: UNKNOWN, finds: /can't be known/ },
    ]);

    it("refuses infrastructure, whose certificates Pulumi makes", () => {
      const mesh = named(
        named(policy(), "metadata.namespace", "lucid-mesh"),
        "data.services",
        "mesh-controller\nconsul",
      );
      assertFinds(issuersLeastPrivilege, mesh, /certificate for mesh\/consul/);
    });

    it("gives a datacenter's services its own name, and no other", () => {
      const north = { ...LUCID_CEILING, datacenter: { name: "north", gateway: "edge/datacenter-gateway" } };
      const found = (resource: TestResource) =>
        judgeResource(
          issuersLeastPrivilege,
          { type: resource.type, name: "test", properties: new Field(plainCopy(resource.properties)) },
          north,
        )
          .map(({ problem }) => problem)
          .join();
      assert.equal(found(named(policy(), "data.datacenter", "north")), "");
      assert.match(found(named(policy(), "data.datacenter", "south")), /bear the datacenter `south`/);
      assert.match(found(policy()), /bear no datacenter's name/);
    });

    it("may be held to shorter lives", () => {
      const { type, properties } = policy();
      const resource = { type, name: "test", properties: new Field(plainCopy(properties)) };
      const found = judgeResource(issuersLeastPrivilege, resource, LUCID_CEILING, { longestLeafHours: 12 });
      assert.match(found.map(({ problem }) => problem).join(), /would live `24` hours/);
    });
  });

  describe("on its right", () => {
    refusesEach(issuersLeastPrivilege, issuerRole, [
      { title: "every Secret", path: "rules[0]", value: core("secrets", ["get"]), finds: /may do more/ },
      { title: "a list of Secrets", path: "rules[0]", value: core("secrets", ["list"]), finds: /may do more/ },
      { title: "its key to change", path: "rules[0].verbs", value: ["get", "patch"], finds: /may do more/ },
      {
        title: "another Secret",
        path: "rules[1].resourceNames[0]",
        value: "payout-router-settings",
        finds: /may do more/,
      },
      { title: "a stranger's", path: "rules[1].resourceNames[0]", value: "stranger-tls", finds: /may do more/ },
      { title: "another zone's", path: "rules[1].resourceNames[0]", value: "admin-ui-tls", finds: /may do more/ },
      { title: "to delete", path: "rules[1].verbs[1]", value: "delete", finds: /may do more/ },
      { title: "its list to change", path: "rules[3].verbs", value: ["patch"], finds: /may do more/ },
      {
        title: "sidecars' files",
        path: "rules[4].resourceNames[0]",
        value: "payout-router-envoy",
        finds: /may do more/,
      },
      { title: "declarations to change", path: "rules[6].verbs[0]", value: "patch", finds: /may do more/ },
      { title: "to create pods", path: "rules[2]", value: core("pods", ["create"]), finds: /may do more/ },
    ]);

    it("lets it create Secrets, and lets no other Role", () => {
      assertPasses(rbacLeastPrivilege, issuerRole());
      assertFinds(rbacLeastPrivilege, role([core("secrets", ["create"])]), /may create core\/secrets/);
      assertFinds(
        rbacLeastPrivilege,
        named(issuerRole(), "rules[2].verbs", ["create", "list"]),
        /may list core\/secrets/,
      );
    });

    it("has the key to itself", () => {
      for (const type of ["Role", "ClusterRole"]) {
        const { properties } = role([core("secrets", ["get"], ["lucid-issuing-tls"])]);
        const resource = { type: `kubernetes:rbac.authorization.k8s.io/v1:${type}`, properties };
        assertFinds(issuersLeastPrivilege, resource, /reaches lucid-issuing-tls/);
      }
      const posing = { ...issuerRole(), type: "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole" };
      assertFinds(issuersLeastPrivilege, posing, /reaches lucid-issuing-tls/);
      assertPasses(issuersLeastPrivilege, role([core("secrets", ["get"], ["payout-router-settings"])]));
    });

    refusesEach(issuersLeastPrivilege, issuerBinding, [
      {
        title: "another zone's issuer",
        path: "subjects[0].name",
        value: "issuer-ops",
        finds: /is given to `issuer-ops`/,
      },
      { title: "the controller", path: "subjects[0].name", value: "mesh-controller", finds: /is given to/ },
      {
        title: "one of its name elsewhere",
        path: "subjects[0].namespace",
        value: "lucid-wallet",
        finds: /is given to/,
      },
      { title: "a person", path: "subjects[0].kind", value: "User", finds: /is given to/ },
      {
        title: "somebody besides",
        path: "subjects[1]",
        value: { kind: "ServiceAccount", name: "payout-router", namespace: "lucid-wallet" },
        finds: /is given to `payout-router`/,
      },
    ]);
  });
});

describe("a plan that governs a zone with an issuer", () => {
  const found = (resources: readonly TestResource[]) =>
    governedZones(
      resources.map(({ type, properties }, index) => ({
        type,
        name: `test-${String(index)}`,
        urn: String(index),
        properties: new Field(plainCopy(asHandedOver(properties))),
        origins: () => [],
      })),
      LUCID_CEILING,
    ).map(({ problem }) => problem);
  const basis = [
    namespace(),
    defaultDeny(),
    serviceAccount(),
    configMap("payout-router-envoy", {}),
    configMap("payout-router-trust", {}),
    deployment(),
  ];

  it("need not have the Secret that the issuer makes, and has every other", () => {
    assert.deepEqual(found([...basis, policy()]), []);
    assert.match(found(basis).join(), /stand on Secret payout-router-tls/);
    const others = named(policy(), "data.services", "tron-payment");
    assert.match(found([...basis, others]).join(), /stand on Secret payout-router-tls/);
    assert.match(
      found([...basis.slice(0, 4), ...basis.slice(5), policy()]).join(),
      /stand on ConfigMap payout-router-trust/,
    );
  });
});
