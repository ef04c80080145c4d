import assert from "node:assert/strict";
import { LUCID_CEILING } from "../../../policies/ceiling";
import { Field } from "../../../policies/judgement/field";
import { plainCopy } from "../../../policies/judgement/plain";
import type { StackResource } from "../../../policies/judgement/rule";
import { stackInvariants } from "../../../policies/rules/stack-invariants";
import { trustConfigMap } from "../fixtures/envoy";
import { configMap, defaultDeny, namespace, secret, serviceAccount } from "../fixtures/objects";
import { renderedConfigMap } from "../fixtures/rendered-envoy";
import { deployment } from "../fixtures/workloads";
import { edit } from "../support/edit";
import type { Json } from "../support/edit";
import type { TestResource } from "../support/judge";
import { UNKNOWN, asHandedOver } from "../support/unknown";

const IMAGE = "spec.template.spec.initContainers[1].image";

/** What a certificate says whose roots are those of zone chain. */
const AUTHORITY = { subject: { commonName: "chain.lucid.internal root" } };

function planned(
  { type, properties }: TestResource,
  sources: Readonly<Record<string, readonly string[]>> = {},
): StackResource {
  return {
    type,
    name: "test",
    urn: `urn:pulumi:dev::test::${type}::test`,
    properties: new Field(plainCopy(asHandedOver(properties))),
    origins: (property) => (sources[property] ?? []).map((source) => planned({ type: source, properties: AUTHORITY })),
  };
}

function findings(...resources: readonly StackResource[]): string[] {
  return stackInvariants.judge(resources, LUCID_CEILING).map(({ path, problem }) => `${path}: ${problem}`);
}

/** The zone that the plan governs, with what the pods of its member stand on; without its trust. */
const founded = [namespace(), defaultDeny(), serviceAccount(), renderedConfigMap(), secret({})].map((resource) =>
  planned(resource),
);
const governed = [...founded, planned(trustConfigMap())];

describe("stack-invariants", () => {
  it("passes a namespace with its default deny", () => {
    assert.deepEqual(findings(planned(namespace()), planned(defaultDeny())), []);
  });

  const notClosing: [string, string, Json | undefined][] = [
    ["of another zone", "metadata.namespace", "lucid-ops"],
    ["in an unknown namespace", "metadata.namespace", UNKNOWN],
    ["of one pod", "spec.podSelector.matchLabels", { a: "b" }],
    ["of some pods", "spec.podSelector.matchExpressions", [{ key: "a", operator: "Exists" }]],
    ["without a selector", "spec.podSelector", undefined],
    ["of one direction", "spec.policyTypes", ["Ingress"]],
    ["of directions unsaid", "spec.policyTypes", undefined],
    ["that opens something", "spec.ingress", [{}]],
    ["of which nothing is known", "spec", UNKNOWN],
  ];
  for (const [title, path, value] of notClosing) {
    it(`refuses a namespace whose deny is one ${title}`, () => {
      const deny = defaultDeny();
      const found = findings(
        planned(namespace()),
        planned({ ...deny, properties: edit(deny.properties, path, value) }),
      );
      assert.match(found.join("\n"), /no default deny/);
    });
  }

  it("asks no default deny of namespaces outside the mesh", () => {
    assert.deepEqual(findings(planned({ ...namespace(), properties: { metadata: { name: "default" } } })), []);
  });

  it("passes an unknown image that the stack builds, and refuses any other", () => {
    const happy = deployment();
    const workload = { ...happy, properties: edit(happy.properties, IMAGE, UNKNOWN) };
    assert.deepEqual(findings(...governed, planned(workload, { spec: ["docker:index/image:Image"] })), []);
    assert.match(
      findings(...governed, planned(workload, { spec: ["random:index/randomId:RandomId"] })).join("\n"),
      /none that this stack builds/,
    );
    assert.match(findings(...governed, planned(workload)).join("\n"), /none that this stack builds/);
  });

  it("passes unknown roots that come from certificates alone", () => {
    const trust = configMap("payout-router-trust", { "chain.yaml": UNKNOWN });
    const certificate = "tls:index/selfSignedCert:SelfSignedCert";
    assert.deepEqual(findings(...founded, planned(trust, { data: [certificate] })), []);
    assert.match(findings(...founded, planned(trust)).join("\n"), /do not come from certificates alone/);
    assert.match(
      findings(...founded, planned(trust, { data: [certificate, "random:index/randomId:RandomId"] })).join("\n"),
      /do not come from certificates alone/,
    );
  });

  it("passes a revocation list's signing key among what trust comes from, with its authority and its root, and nowhere else", () => {
    const [root, issuer, key] = [
      "selfSignedCert:SelfSignedCert",
      "locallySignedCert:LocallySignedCert",
      "privateKey:PrivateKey",
    ].map((type) => `tls:index/${type}`) as [string, string, string];
    const trust = configMap("payout-router-trust", { "chain.yaml": UNKNOWN });
    assert.deepEqual(findings(...founded, planned(trust, { data: [root, issuer, key] })), []);
    assert.match(findings(...founded, planned(trust, { data: [root, key] })).join("\n"), /no issuing authority/);
    assert.match(
      findings(...founded, planned(trust, { data: [issuer, key] })).join("\n"),
      /do not come from certificates alone/,
    );
    assert.match(
      findings(...founded, planned(trust, { data: [key] })).join("\n"),
      /do not come from certificates alone/,
    );
    const consul = configMap("mesh-controller-consul-trust", { "ca.crt": UNKNOWN });
    assert.deepEqual(findings(...governed, planned(consul, { data: [root] })), []);
    assert.match(findings(...governed, planned(consul, { data: [root, issuer, key] })).join("\n"), /a key is among/);
  });
});
