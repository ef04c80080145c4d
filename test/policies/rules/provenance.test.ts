import assert from "node:assert/strict";
import { LUCID_CEILING } from "../../../policies/ceiling";
import { Field } from "../../../policies/judgement/field";
import { plainCopy } from "../../../policies/judgement/plain";
import type { StackResource } from "../../../policies/judgement/rule";
import { stackInvariants } from "../../../policies/rules/stack-invariants";
import { issuing, issuingRequest, leaf, leafRequest, privateKey, root } from "../fixtures/certificates";
import { edit } from "../support/edit";
import type { TestResource } from "../support/judge";
import { asHandedOver } from "../support/unknown";

type Origins = Record<string, StackResource[]>;

function planned({ type, properties }: TestResource, name: string, origins: Origins = {}): StackResource {
  return {
    type,
    name,
    urn: `urn:pulumi:dev::test::${type}::${name}`,
    properties: new Field(plainCopy(asHandedOver(properties))),
    origins: (property) => origins[property] ?? [],
  };
}

/** A zone's authorities, as they are planned. */
function authorities(zone: string) {
  const rootKey = planned(privateKey(), `${zone}-root-key`);
  const rootCertificate = planned(root(zone), `${zone}-root`, { privateKeyPem: [rootKey] });
  const key = planned(privateKey(), `${zone}-issuing-key`);
  const request = planned(issuingRequest(zone), `${zone}-issuing-request`, { privateKeyPem: [key] });
  const origins: Origins = { certRequestPem: [request], caCertPem: [rootCertificate], caPrivateKeyPem: [rootKey] };
  const certificate = planned(issuing(), `${zone}-issuing`, origins);
  return { rootKey, rootCertificate, key, request, certificate, origins };
}

describe("who signs whom", () => {
  const wallet = authorities("wallet");
  const ops = authorities("ops");
  const leafKey = planned(privateKey(), "leaf-key");
  const request = planned(leafRequest(), "leaf-request", { privateKeyPem: [leafKey] });
  const signed: Origins = { certRequestPem: [request], caCertPem: [wallet.certificate], caPrivateKeyPem: [wallet.key] };

  const all = (...more: readonly StackResource[]) =>
    [wallet, ops]
      .flatMap(({ rootKey, rootCertificate, key, request: asked, certificate }) => [
        rootKey,
        rootCertificate,
        key,
        asked,
        certificate,
      ])
      .concat(leafKey, request, more);
  const found = (...more: readonly StackResource[]) =>
    stackInvariants
      .judge(all(...more), LUCID_CEILING)
      .map(({ path, problem, resource }) => `${resource.name} ${path}: ${problem}`);
  const leafOf = (changes: Origins) => planned(leaf(), "leaf", { ...signed, ...changes });
  const issuingOf = (changes: Origins) => planned(issuing(), "other-issuing", { ...wallet.origins, ...changes });

  it("passes a leaf of its own zone's authority, and authorities of their own roots", () => {
    assert.deepEqual(found(leafOf({})), []);
  });

  const foreign = planned(leafRequest("ops", "admin-ui"), "ops-request", {
    privateKeyPem: [planned(privateKey(), "k")],
  });
  const anonymous = planned({ ...leafRequest(), properties: edit(leafRequest().properties, "uris", []) }, "anonymous", {
    privateKeyPem: [planned(privateKey(), "k")],
  });
  const twice = planned(
    { ...leafRequest(), properties: edit(leafRequest().properties, "uris[1]", "https://example.org") },
    "twice",
    { privateKeyPem: [planned(privateKey(), "k")] },
  );
  const other = planned(leaf(), "other-leaf", signed);
  const refused: readonly [what: string, resource: StackResource, finds: RegExp][] = [
    [
      "another zone's identity",
      leafOf({ certRequestPem: [foreign] }),
      /ops\/admin-ui is signed by the authority of zone wallet/,
    ],
    [
      "another zone's authority",
      leafOf({ caCertPem: [ops.certificate], caPrivateKeyPem: [ops.key] }),
      /wallet\/payout-router is signed by the authority of zone ops/,
    ],
    ["another zone's key", leafOf({ caPrivateKeyPem: [ops.key] }), /another key than its authority's/],
    ["its own key", leafOf({ caPrivateKeyPem: [leafKey] }), /another key than its authority's/],
    [
      "the root itself",
      leafOf({ caCertPem: [wallet.rootCertificate], caPrivateKeyPem: [wallet.rootKey] }),
      /something else than an issuing authority/,
    ],
    [
      "another leaf",
      leafOf({ caCertPem: [other], caPrivateKeyPem: [leafKey] }),
      /something else than an issuing authority/,
    ],
    ["no identity", leafOf({ certRequestPem: [anonymous] }), /not have exactly one identity/],
    ["two identities", leafOf({ certRequestPem: [twice] }), /not have exactly one identity/],
    ["an authority's request", leafOf({ certRequestPem: [wallet.request] }), /not have exactly one identity/],
    ["a request of two resources", leafOf({ certRequestPem: [request, foreign] }), /can't be told/],
    ["a request from elsewhere", leafOf({ certRequestPem: [] }), /can't be told/],
    ["an authority from elsewhere", leafOf({ caCertPem: [] }), /can't be told/],
    ["a key from elsewhere", leafOf({ caPrivateKeyPem: [] }), /can't be told/],
    ["a key that is none", leafOf({ caPrivateKeyPem: [wallet.request] }), /can't be told/],
  ];
  for (const [what, resource, finds] of refused) {
    it(`refuses a leaf with ${what}`, () => {
      assert.match(found(resource).join("\n"), finds);
    });
  }

  const refusedAuthorities: readonly [what: string, resource: StackResource, finds: RegExp][] = [
    [
      "another zone's root",
      issuingOf({ caCertPem: [ops.rootCertificate], caPrivateKeyPem: [ops.rootKey] }),
      /something else than its own zone's root/,
    ],
    [
      "another issuing authority",
      issuingOf({ caCertPem: [wallet.certificate], caPrivateKeyPem: [wallet.key] }),
      /something else than its own zone's root/,
    ],
    ["a service's identity", issuingOf({ certRequestPem: [request] }), /would have a service's identity/],
  ];
  for (const [what, resource, finds] of refusedAuthorities) {
    it(`refuses an issuing authority with ${what}`, () => {
      assert.match(found(resource).join("\n"), finds);
    });
  }

  it("refuses a key that two have", () => {
    const second = planned(leafRequest("wallet", "tron-payment"), "second-request", { privateKeyPem: [leafKey] });
    assert.deepEqual(found(second), ["second-request privateKeyPem: its key is that of leaf-request too"]);
    const asAuthority = planned(issuingRequest(), "third-request", { privateKeyPem: [wallet.rootKey] });
    assert.deepEqual(found(asAuthority), ["third-request privateKeyPem: its key is that of wallet-root too"]);
  });
});
