import { tlsCertificates } from "../../../policies/rules/tls-certificates";
import { tlsPrivateKeys } from "../../../policies/rules/tls-private-keys";
import { issuing, issuingRequest, leaf, leafRequest, privateKey, root } from "../fixtures/certificates";
import type { JsonObject } from "../support/edit";
import { edit } from "../support/edit";
import { assertFinds, assertPasses, refusesEach } from "../support/judge";
import { UNKNOWN } from "../support/unknown";

const key = (properties: JsonObject) => ({ ...privateKey(), properties });

describe("tls-private-keys", () => {
  refusesEach(tlsPrivateKeys, privateKey, [
    { title: "another kind of key", path: "algorithm", value: "ED25519", finds: /of the kind `ED25519`/ },
    { title: "a kind that isn't said", path: "algorithm", finds: /of the kind missing/ },
    { title: "a kind that isn't known", path: "algorithm", value: UNKNOWN, finds: /not known at preview/ },
    { title: "the provider's own curve", path: "ecdsaCurve", finds: /P224, the provider's default/ },
    { title: "a short curve", path: "ecdsaCurve", value: "P224", finds: /`P224`/ },
    { title: "a curve that isn't known", path: "ecdsaCurve", value: UNKNOWN, finds: /not known at preview/ },
  ]);

  it("passes longer curves, and RSA of 2048 bits and more", () => {
    for (const ecdsaCurve of ["P256", "P384", "P521"])
      assertPasses(tlsPrivateKeys, key({ algorithm: "ECDSA", ecdsaCurve }));
    for (const rsaBits of [2048, 3072, 4096]) assertPasses(tlsPrivateKeys, key({ algorithm: "RSA", rsaBits }));
    assertPasses(tlsPrivateKeys, key({ algorithm: "RSA" }));
    // As the official provider hands it over, its defaults filled in.
    assertPasses(
      tlsPrivateKeys,
      key({ __defaults: ["rsaBits"], algorithm: "ECDSA", ecdsaCurve: "P256", rsaBits: 2048 }),
    );
  });

  it("refuses short RSA keys", () => {
    for (const rsaBits of [1024, 2047, 0])
      assertFinds(tlsPrivateKeys, key({ algorithm: "RSA", rsaBits }), /has `\d+` bits/);
    assertFinds(tlsPrivateKeys, key({ algorithm: "RSA", rsaBits: UNKNOWN }), /can't be known at preview/);
    assertFinds(tlsPrivateKeys, key({ algorithm: "RSA", rsaBits: "4096" }), /is not a number/);
  });
});

describe("tls-certificates", () => {
  describe("on a root", () => {
    refusesEach(tlsCertificates, root, [
      { title: "one that is no authority", path: "isCaCertificate", value: false, finds: /proves nothing/ },
      { title: "one that doesn't say", path: "isCaCertificate", finds: /proves nothing/ },
      {
        title: "one that can't sign",
        path: "allowedUses",
        value: ["crl_signing"],
        finds: /not be used for cert_signing/,
      },
      {
        title: "one that is good for calls",
        path: "allowedUses[2]",
        value: "client_auth",
        finds: /also be used for client_auth/,
      },
      {
        title: "a life of more than ten years",
        path: "validityPeriodHours",
        value: 87601,
        finds: /lives `87601` hours/,
      },
      { title: "a life of nothing", path: "validityPeriodHours", value: 0, finds: /lives `0` hours/ },
      { title: "a life that isn't said", path: "validityPeriodHours", finds: /lives missing hours/ },
      { title: "a long chain below it", path: "maxPathLength", value: 2, finds: /`2` authorities/ },
      {
        title: "an identity",
        path: "uris",
        value: ["spiffe://wallet.lucid.internal/ns/lucid-wallet/sa/x"],
        finds: /speaks for nobody/,
      },
      { title: "a host name", path: "dnsNames", value: ["consul"], finds: /speaks for nobody/ },
      { title: "an address", path: "ipAddresses", value: ["127.0.0.1"], finds: /proves no identity/ },
      {
        title: "the name of no zone",
        path: "subject.commonName",
        value: "other.lucid.internal root",
        finds: /no zone's authority/,
      },
      { title: "any other name", path: "subject.commonName", value: "root", finds: /no zone's authority/ },
      { title: "no name", path: "subject", finds: /no zone's authority/ },
    ]);

    it("passes one without a limit of its chain, as first roots were once made", () => {
      const { type, properties } = root();
      assertPasses(tlsCertificates, { type, properties: edit(properties, "maxPathLength", undefined) });
      assertPasses(tlsCertificates, { type, properties: edit(properties, "maxPathLength", -1) });
      assertPasses(tlsCertificates, {
        type,
        properties: edit(properties, "subject.commonName", "ops.lucid.internal root 2"),
      });
    });
  });

  describe("on an issuing authority", () => {
    refusesEach(tlsCertificates, issuing, [
      { title: "a life of more than a year", path: "validityPeriodHours", value: 8761, finds: /lives `8761` hours/ },
      {
        title: "one that can't sign its list",
        path: "allowedUses",
        value: ["cert_signing"],
        finds: /not be used for crl_signing/,
      },
      {
        title: "one that is good for calls",
        path: "allowedUses[2]",
        value: "server_auth",
        finds: /also be used for server_auth/,
      },
      { title: "one whose list can't name it", path: "setSubjectKeyId", finds: /revocation list could not name it/ },
    ]);
    refusesEach(tlsCertificates, issuingRequest, [
      {
        title: "the name of a service",
        path: "subject.commonName",
        value: "payout-router.lucid.internal",
        finds: /no zone's authority, and a leaf needs/,
      },
      { title: "a host name", path: "dnsNames", value: ["consul"], finds: /speaks for nobody/ },
      { title: "an address", path: "ipAddresses", value: ["127.0.0.1"], finds: /proves no identity/ },
    ]);
    it("passes those of further generations", () => {
      for (const name of ["issuing 2", "root 2 issuing", "root 2 issuing 3"]) {
        const { type, properties } = issuingRequest();
        assertPasses(tlsCertificates, {
          type,
          properties: edit(properties, "subject.commonName", `ops.lucid.internal ${name}`),
        });
      }
    });
  });

  describe("on a leaf", () => {
    refusesEach(tlsCertificates, leaf, [
      { title: "a life of more than 90 days", path: "validityPeriodHours", value: 2161, finds: /lives `2161` hours/ },
      { title: "a life that isn't known", path: "validityPeriodHours", value: UNKNOWN, finds: /can't be known/ },
      { title: "one that can't be called", path: "allowedUses[1]", finds: /not be used for server_auth/ },
      { title: "one that can't call", path: "allowedUses[2]", finds: /not be used for client_auth/ },
      { title: "one that can't sign a handshake", path: "allowedUses[0]", finds: /not be used for digital_signature/ },
      {
        title: "one that signs others",
        path: "allowedUses[3]",
        value: "cert_signing",
        finds: /also be used for cert_signing/,
      },
      {
        title: "one for any use",
        path: "allowedUses[3]",
        value: "any_extended",
        finds: /also be used for any_extended/,
      },
      {
        title: "one that is an authority too",
        path: "isCaCertificate",
        value: true,
        finds: /also be used for digital_signature/,
      },
      { title: "one of which it can't be told", path: "isCaCertificate", value: UNKNOWN, finds: /can't be told/ },
    ]);
    it("passes the uses of an RSA key", () => {
      const { type, properties } = leaf();
      assertPasses(tlsCertificates, { type, properties: edit(properties, "allowedUses[3]", "key_encipherment") });
    });

    const wallet = (service: string) => `spiffe://wallet.lucid.internal/ns/lucid-wallet/sa/${service}`;
    refusesEach(tlsCertificates, leafRequest, [
      { title: "two identities", path: "uris[1]", value: wallet("tron-payment"), finds: /have 2 identities/ },
      {
        title: "two identities, the other first",
        path: "uris",
        value: ["https://example.org", wallet("payout-router")],
        finds: /have 2 identities/,
      },
      { title: "no identity", path: "uris", value: [], finds: /a leaf needs an identity/ },
      { title: "an identity that isn't known", path: "uris", value: UNKNOWN, finds: /can't be known/ },
      {
        title: "a namespace of another zone",
        path: "uris[0]",
        value: "spiffe://wallet.lucid.internal/ns/lucid-ops/sa/payout-router",
        finds: /none of the mesh's form/,
      },
      {
        title: "another trust domain",
        path: "uris[0]",
        value: "spiffe://example.org/ns/lucid-wallet/sa/payout-router",
        finds: /none of the mesh's form/,
      },
      {
        title: "an identity with more behind it",
        path: "uris[0]",
        value: `${wallet("payout-router")}/x`,
        finds: /none of the mesh's form/,
      },
      {
        title: "a service that is no member",
        path: "uris[0]",
        value: wallet("stranger"),
        finds: /`stranger` is not a member of zone wallet/,
      },
      {
        title: "a zone that is none",
        path: "uris[0]",
        value: "spiffe://other.lucid.internal/ns/lucid-other/sa/payout-router",
        finds: /not a member of zone other/,
      },
      {
        title: "the name of another service",
        path: "subject.commonName",
        value: "tron-payment.lucid.internal",
        finds: /common name is `tron-payment/,
      },
      { title: "no common name", path: "subject.commonName", finds: /the common name is missing/ },
      { title: "no subject", path: "subject", finds: /the common name is missing/ },
      {
        title: "a host name",
        path: "dnsNames",
        value: ["payout-router.lucid.internal"],
        finds: /host names that are not its own/,
      },
      { title: "an address", path: "ipAddresses", value: ["10.0.0.1"], finds: /proves no identity/ },
    ]);
    it("lets those have no common name, and must not, who log in at etcd by a password", () => {
      for (const service of ["etcd-access", "etcd-client"]) {
        const { type, properties } = leafRequest("mesh", service);
        assertPasses(tlsCertificates, { type, properties: edit(properties, "subject.commonName", undefined) });
        assertFinds(tlsCertificates, { type, properties }, /the common name is/);
      }
    });
    it("lets what is listed as infrastructure have host names, inside", () => {
      const { type, properties } = leafRequest("mesh", "consul");
      const named = (...dnsNames: string[]) => ({ type, properties: { ...properties, dnsNames } });
      assertPasses(tlsCertificates, named("server.dc1.discovery.lucid.internal", "localhost"));
      assertFinds(tlsCertificates, named("consul.example.org"), /host names that are not its own/);
    });
  });

  it("refuses what it doesn't know", () => {
    assertFinds(
      tlsCertificates,
      { type: "tls:index/other:Other", properties: {} },
      /no rule models tls:index\/other:Other/,
    );
  });
});
