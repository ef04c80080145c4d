import assert from "node:assert/strict";
import { LUCID_CEILING } from "../../../policies/ceiling";
import { Field } from "../../../policies/judgement/field";
import { plainCopy } from "../../../policies/judgement/plain";
import type { StackResource } from "../../../policies/judgement/rule";
import { tokensElsewhere } from "../../../policies/rules/token-holders";
import { aclPolicy, aclToken } from "../fixtures/consul";
import type { TestResource } from "../support/judge";

function planned(
  { type, properties }: TestResource,
  name: string,
  stringData: readonly StackResource[] = [],
): StackResource {
  return {
    type,
    name,
    urn: `${type}::${name}`,
    properties: new Field(plainCopy(properties)),
    origins: (property) => (property === "stringData" ? stringData : []),
  };
}

const named = (name: string, rules?: string) => {
  const policy = aclPolicy(rules);
  return planned({ ...policy, properties: { ...policy.properties, name } }, name);
};
const token = (...policies: string[]) =>
  planned({ ...aclToken(), properties: { ...aclToken().properties, policies } }, `token of ${policies.join()}`);
const secretOf = (name: string, namespace: string, ...tokens: readonly StackResource[]) =>
  planned({ type: "kubernetes:core/v1:Secret", properties: { metadata: { name, namespace } } }, name, tokens);

const registrar = named("registrar");
const reader = named(
  "reader",
  'node_prefix "node-resolver-" {\n  policy = "write"\n}\nservice_prefix "" {\n  policy = "read"\n}\n',
);
const snapshots = named("snapshots", 'acl = "write"\n');
const aclReader = named("acl-reader", 'acl = "read"\n');
const found = (secret: StackResource, ceiling = LUCID_CEILING) =>
  tokensElsewhere([registrar, reader, snapshots, aclReader, secret], ceiling).map(({ problem }) => problem);

describe("a Secret with a token of Consul's", () => {
  it("is a registrar's, or holds one for its own nodes", () => {
    assert.deepEqual(found(secretOf("mesh-controller-tokens", "lucid-mesh", token("registrar"))), []);
    assert.deepEqual(found(secretOf("node-resolver-config", "lucid-mesh", token("reader"))), []);
    assert.deepEqual(found(secretOf("payout-router-tls", "lucid-wallet")), []);
  });

  it("is Consul's servers' own, where by it ACLs may be written", () => {
    assert.deepEqual(found(secretOf("consul-snapshots", "lucid-mesh", token("snapshots"))), []);
    const noOne = { ...LUCID_CEILING, snapshotTakers: {} };
    const own = secretOf("consul-snapshots", "lucid-mesh", token("snapshots"));
    assert.match(
      tokensElsewhere([snapshots, own], noOne)
        .map(({ problem }) => problem)
        .join(),
      /ACLs/,
    );
  });

  const everything: readonly [what: string, secret: StackResource][] = [
    ["a registrar's Secret", secretOf("mesh-controller-tokens", "lucid-mesh", token("snapshots"))],
    ["a resolver's", secretOf("node-resolver-config", "lucid-mesh", token("snapshots"))],
    ["a service's", secretOf("payout-router-tokens", "lucid-wallet", token("snapshots"))],
    ["a Secret of the servers' name in another zone", secretOf("consul-snapshots", "lucid-ops", token("snapshots"))],
    ["one with another token", secretOf("consul-snapshots", "lucid-mesh", token("snapshots"), token("reader"))],
    [
      "a token with another policy beside",
      secretOf("mesh-controller-tokens", "lucid-mesh", token("registrar", "snapshots")),
    ],
    [
      "a ConfigMap",
      { ...secretOf("consul-snapshots", "lucid-mesh", token("snapshots")), type: "kubernetes:core/v1:ConfigMap" },
    ],
  ];
  for (const [what, secret] of everything) {
    it(`is refused where by it ACLs may be written: ${what}`, () => {
      assert.match(found(secret).join(), /may write Consul's ACLs, and so do everything there/);
    });
  }

  it("is the controller's, where by it ACLs may be read, beside its others", () => {
    const own = secretOf("mesh-controller-tokens", "lucid-mesh", token("registrar"), token("acl-reader"));
    assert.deepEqual(found(own), []);
    assert.match(found(own, { ...LUCID_CEILING, aclReaders: {} }).join(), /may read Consul's ACLs/);
  });

  const read: readonly [what: string, secret: StackResource][] = [
    ["the servers' own", secretOf("consul-snapshots", "lucid-mesh", token("acl-reader"))],
    ["a resolver's", secretOf("node-resolver-config", "lucid-mesh", token("acl-reader"))],
    ["a service's", secretOf("payout-router-tokens", "lucid-wallet", token("acl-reader"))],
    ["the controller's name in another zone", secretOf("mesh-controller-tokens", "lucid-ops", token("acl-reader"))],
    [
      "a ConfigMap of the controller's",
      {
        ...secretOf("mesh-controller-tokens", "lucid-mesh", token("acl-reader")),
        type: "kubernetes:core/v1:ConfigMap",
      },
    ],
  ];
  for (const [what, secret] of read) {
    it(`is refused where by it ACLs may be read: ${what}`, () => {
      assert.match(found(secret).join(), /may read Consul's ACLs/);
    });
  }

  const refused: readonly [what: string, secret: StackResource][] = [
    ["a registrar's with the node resolver", secretOf("node-resolver-config", "lucid-mesh", token("registrar"))],
    ["a registrar's beside its own", secretOf("node-resolver-config", "lucid-mesh", token("reader", "registrar"))],
    ["a registrar's with a service", secretOf("payout-router-tokens", "lucid-wallet", token("registrar"))],
    ["another's nodes", secretOf("payout-router-tokens", "lucid-wallet", token("reader"))],
    ["a policy that nobody knows", secretOf("node-resolver-config", "lucid-mesh", token("stranger"))],
    ["no member's name", secretOf("tokens", "lucid-mesh", token("reader"))],
  ];
  for (const [what, secret] of refused) {
    it(`is refused: ${what}`, () => {
      assert.match(found(secret).join(), /may write more in Consul than/);
    });
  }
});
