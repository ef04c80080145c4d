import assert from "node:assert/strict";
import { LUCID_CEILING } from "../../../policies/ceiling";
import { Field } from "../../../policies/judgement/field";
import { plainCopy } from "../../../policies/judgement/plain";
import type { StackResource } from "../../../policies/judgement/rule";
import { keysElsewhere } from "../../../policies/tls/holders";
import { misissued } from "../../../policies/tls/provenance";
import { issuing, issuingRequest, leaf, leafRequest, privateKey } from "../fixtures/certificates";
import { edit } from "../support/edit";
import { asHandedOver } from "../support/unknown";
import type { TestResource } from "../support/judge";

type Origins = Readonly<Record<string, readonly StackResource[]>>;

function planned({ type, properties }: TestResource, name: string, origins: Origins = {}): StackResource {
  return {
    type,
    name,
    urn: `${type}::${name}`,
    properties: new Field(plainCopy(asHandedOver(properties))),
    origins: (property) => origins[property] ?? [],
  };
}

/** A key, the request for its certificate, and that. */
function certified(request: TestResource, certificate: TestResource, name: string) {
  const key = planned(privateKey(), `${name}-key`);
  const asked = planned(request, `${name}-request`, { privateKeyPem: [key] });
  return { key, asked, certificate: planned(certificate, name, { certRequestPem: [asked] }) };
}

const own = certified(leafRequest(), leaf(), "payout-router");
const another = certified(leafRequest("wallet", "tron-payment"), leaf(), "tron-payment");
const authority = certified(issuingRequest(), issuing(), "issuing");
const registrar = certified(leafRequest("mesh", "mesh-controller"), leaf(), "mesh-controller");
const atEtcd = certified(leafRequest("mesh", "etcd-client"), leaf(), "mesh-controller-etcd");
const everything = [own, another, authority, registrar, atEtcd].flatMap(({ key, asked, certificate }) => [
  key,
  asked,
  certificate,
]);

const secretIn = (namespace: string, name: string, stringData: readonly StackResource[]) =>
  planned({ type: "kubernetes:core/v1:Secret", properties: { metadata: { name, namespace } } }, name, { stringData });
const secretOf = (name: string, ...stringData: readonly StackResource[]) => secretIn("lucid-wallet", name, stringData);
const meshSecretOf = (name: string, ...stringData: readonly StackResource[]) =>
  secretIn("lucid-mesh", name, stringData);
const found = (secret: StackResource) =>
  keysElsewhere([...everything, secret], LUCID_CEILING).map(({ problem }) => problem);

describe("a Secret made of keys and certificates", () => {
  it("holds its own service's, and the chain above it", () => {
    assert.deepEqual(found(secretOf("payout-router-tls", own.key, own.certificate, authority.certificate)), []);
    assert.deepEqual(found(secretOf("payout-router-settings")), []);
  });

  it("holds etcd's client's, under a name of its own, for whom the ceiling lets reach etcd", () => {
    assert.deepEqual(found(meshSecretOf("mesh-controller-etcd-tls", atEtcd.key, atEtcd.certificate)), []);
  });

  it("holds what a zone is signed by, and that one's key, where its issuer reads it", () => {
    assert.deepEqual(found(secretOf("lucid-issuing-tls", authority.certificate, authority.key)), []);
  });

  it("holds in a datacenter what that one's zone is signed by, and no other's", () => {
    const north = { ...LUCID_CEILING, datacenter: { name: "north", gateway: "edge/datacenter-gateway" } };
    const { type, properties } = issuingRequest();
    const asking = (commonName: string) => ({ type, properties: edit(properties, "subject.commonName", commonName) });
    for (const [commonName, problems] of [
      ["wallet.north.lucid.internal issuing", 0],
      ["wallet.south.lucid.internal issuing", 1],
      ["wallet.lucid.internal issuing", 1],
    ] as const) {
      const signer = certified(asking(commonName), issuing(), "its-issuing");
      const resources = [signer.key, signer.asked, signer.certificate];
      const secret = secretOf("lucid-issuing-tls", signer.certificate, signer.key);
      assert.equal(keysElsewhere([...resources, secret], north).length, problems, commonName);
    }
  });

  const stranger = planned(privateKey(), "stranger-key");
  const refused: readonly [what: string, secret: StackResource, finds: RegExp][] = [
    ["another service's key", secretOf("payout-router-tls", another.key), /made of tron-payment-key/],
    ["another's certificate", secretOf("payout-router-tls", own.key, another.certificate), /made of tron-payment,/],
    ["an authority's key", secretOf("payout-router-tls", own.key, authority.key), /made of issuing-key/],
    ["a zone's signing key, without its certificate", secretOf("lucid-issuing-tls", authority.key), /is not made of/],
    [
      "a zone's signing key beside a leaf",
      secretOf("lucid-issuing-tls", authority.certificate, authority.key, own.key),
      /is not made of/,
    ],
    [
      "another zone's authority",
      secretIn("lucid-ops", "lucid-issuing-tls", [authority.certificate, authority.key]),
      /zone ops/,
    ],
    ["a leaf where an authority belongs", secretOf("lucid-issuing-tls", own.certificate, own.key), /is not made of/],
    [
      "a stranger's key beside an authority",
      secretOf("lucid-issuing-tls", authority.certificate, own.key),
      /is not made of/,
    ],
    ["a key for nothing", secretOf("payout-router-tls", stranger), /made of stranger-key/],
    [
      "etcd's client's key with a sidecar's certificate",
      meshSecretOf("mesh-controller-tls", registrar.certificate, atEtcd.key),
      /made of mesh-controller-etcd-key/,
    ],
    [
      "its sidecar's key where it is heard at etcd",
      meshSecretOf("mesh-controller-etcd-tls", registrar.key, registrar.certificate),
      /made of mesh-controller-key/,
    ],
    [
      "etcd's client's key with one who may not reach etcd",
      secretOf("payout-router-etcd-tls", atEtcd.key, atEtcd.certificate),
      /made of mesh-controller-etcd-key/,
    ],
    ["no member's name", secretOf("keys", own.key), /not its reader's own/],
  ];
  for (const [what, secret, finds] of refused) {
    it(`is refused: ${what}`, () => {
      assert.match(found(secret).join(), finds);
    });
  }
});

describe("a request", () => {
  const problems = (...keys: readonly StackResource[]) =>
    misissued([planned(leafRequest(), "request", { privateKeyPem: keys })], LUCID_CEILING).map(
      ({ problem }) => problem,
    );

  it("is for one key of the stack, and tells which", () => {
    assert.deepEqual(problems(own.key), []);
    assert.match(problems().join(), /can't be told from the plan whose key/);
    assert.match(problems(own.key, another.key).join(), /can't be told from the plan whose key/);
  });
});
