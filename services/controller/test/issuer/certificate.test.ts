import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { connect, createServer, type TLSSocket } from "node:tls";
import { AsnConvert } from "@peculiar/asn1-schema";
import {
  BasicConstraints,
  Certificate,
  id_ce_basicConstraints,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  KeyUsage,
  KeyUsageFlags,
  SubjectAlternativeName,
} from "@peculiar/asn1-x509";
import { AuthorityError, readAuthority } from "../../src/issuer/authority.js";
import { backdated, issueLeaf, lifeFrom, type IssuedLeaf } from "../../src/issuer/certificate.js";
import { testAuthority, type Kind, type TestAuthority } from "../support/authority.js";

const IDENTITY = "spiffe://ops.lucid.internal/ns/lucid-ops/sa/admin-ui";
const HOUR = 3_600_000;

async function issued(authority: TestAuthority, algorithm: Kind): Promise<IssuedLeaf> {
  const own = readAuthority(authority.secret, "ops");
  const life = lifeFrom(Date.now(), { validityHours: 24 }, own);
  const request = { identity: IDENTITY, commonName: "admin-ui.lucid.internal", serial: "4f".repeat(16), algorithm };
  return issueLeaf({ ...request, ...life }, own);
}

/** The certificates that both ends of a handshake saw. */
async function handshake(one: IssuedLeaf, other: IssuedLeaf, rootPem: string): Promise<readonly string[]> {
  const options = { ca: rootPem, minVersion: "TLSv1.3", requestCert: true, rejectUnauthorized: true } as const;
  const server = createServer({ ...options, cert: one.chainPem, key: one.keyPem });
  const seen = new Promise<TLSSocket>((resolve, reject) => {
    server.once("secureConnection", resolve).once("tlsClientError", reject);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const client = connect({
    ...options,
    host: "127.0.0.1",
    port,
    cert: other.chainPem,
    key: other.keyPem,
    checkServerIdentity: () => undefined,
  });
  try {
    await new Promise<void>((resolve, reject) => client.once("secureConnect", resolve).once("error", reject));
    const socket = await seen;
    return [client, socket].map((end) => end.getPeerX509Certificate()?.subjectAltName ?? "none");
  } finally {
    client.destroy();
    server.close();
  }
}

describe("issuer: a certificate", () => {
  for (const kind of ["ECDSA", "RSA"] as const) {
    describe(`of a key of ${kind}`, () => {
      let authority: TestAuthority;
      let leaf: IssuedLeaf;
      before(async () => {
        authority = await testAuthority("ops.lucid.internal", { kind });
        leaf = await issued(authority, kind);
      });

      it("is believed by both ends of a connection that trust the zone's root alone", async () => {
        const names = await handshake(leaf, await issued(authority, kind), authority.rootPem);
        assert.deepEqual(names, [`URI:${IDENTITY}`, `URI:${IDENTITY}`]);
      });

      it("is not, by who trusts another zone's root", async () => {
        const { rootPem } = await testAuthority("wallet.lucid.internal", { kind });
        await assert.rejects(handshake(leaf, leaf, rootPem));
      });

      it("names one identity, signs no other, and has a key of its own", async () => {
        const certificate = new X509Certificate(leaf.chainPem);
        assert.equal(certificate.subject, "O=Lucid\nCN=admin-ui.lucid.internal");
        assert.equal(certificate.subjectAltName, `URI:${IDENTITY}`);
        assert.equal(certificate.ca, false);
        const { extensions = [] } = AsnConvert.parse(certificate.raw, Certificate).tbsCertificate;
        const extension = (id: string) => {
          const found = extensions.filter(({ extnID }) => extnID === id);
          assert.equal(found.length, 1, id);
          return found[0] as (typeof found)[number];
        };
        const constraints = extension(id_ce_basicConstraints);
        assert.equal(constraints.critical, true);
        assert.equal(AsnConvert.parse(constraints.extnValue, BasicConstraints).cA, false);
        const names = AsnConvert.parse(extension(id_ce_subjectAltName).extnValue, SubjectAlternativeName);
        assert.deepEqual(
          Array.from(names, ({ uniformResourceIdentifier: uri }) => uri),
          [IDENTITY],
        );
        const usage = AsnConvert.parse(extension(id_ce_keyUsage).extnValue, KeyUsage).toNumber();
        const wanted = KeyUsageFlags.digitalSignature | (kind === "RSA" ? KeyUsageFlags.keyEncipherment : 0);
        assert.equal(usage, wanted);
        const other = await issued(authority, kind);
        assert.notEqual(other.keyPem, leaf.keyPem);
      });

      it("has its serial number, and brings its authority along", () => {
        const [first, second, ...others] = leaf.chainPem.split(/(?<=-----END CERTIFICATE-----\n)/);
        assert.equal(new X509Certificate(first ?? "").serialNumber, "4F".repeat(16));
        assert.equal(second?.trim(), authority.certificatePem.trim());
        assert.deepEqual(others, []);
      });
    });
  }

  it("begins a little before it is made, and never outlives its authority", () => {
    const now = Date.parse("2026-11-22T10:00:00.700Z");
    const end = (notAfter: number) => lifeFrom(now, { validityHours: 24 }, { notAfter });
    const whole = end(now + 1000 * HOUR);
    assert.equal(new Date(whole.notBefore).toISOString(), "2026-11-22T09:55:00.000Z");
    assert.equal(whole.notAfter - whole.notBefore, 24 * HOUR);
    assert.equal(end(now + HOUR).notAfter, now + HOUR);
    assert.equal(backdated(90 * 24), 300_000);
    assert.equal(backdated(1), 300_000);
  });
});

describe("issuer: what it signs by", () => {
  it("is its own zone's issuing authority, of whatever generation", async () => {
    for (const name of ["issuing", "issuing 2", "root 2 issuing", "root 3 issuing 2"]) {
      const { secret } = await testAuthority("ops.lucid.internal", {
        subject: `CN=ops.lucid.internal ${name}, O=Lucid`,
      });
      assert.equal(readAuthority(secret, "ops").certificatePem, secret["tls.crt"]);
    }
  });

  it("is its own datacenter's, where there are several", async () => {
    const [north, one] = [await testAuthority("ops.north.lucid.internal"), await testAuthority()];
    assert.equal(readAuthority(north.secret, "ops", "north").certificatePem, north.certificatePem);
    for (const [secret, datacenter] of [
      [north.secret, "south"],
      [north.secret, undefined],
      [one.secret, "north"],
    ] as const) {
      assert.throws(() => readAuthority(secret, "ops", datacenter), /not the issuing authority of zone ops/);
    }
  });

  it("is no other zone's, no root, no leaf, and no certificate with another's key", async () => {
    const own = await testAuthority();
    const other = await testAuthority("wallet.lucid.internal");
    const refused: readonly (readonly [RegExp, Readonly<Record<string, string>>])[] = [
      [/not the issuing authority of zone ops/, other.secret],
      [/not the issuing authority/, (await testAuthority("opsXlucid.internal")).secret],
      [/not the issuing authority/, { ...own.secret, "tls.crt": own.rootPem }],
      [/not the issuing authority/, (await testAuthority("ops.lucid.internal", { isCa: false })).secret],
      [/a key that is not its certificate's/, { ...own.secret, "tls.key": other.keyPem }],
      [/no certificate and key/, { "tls.crt": own.certificatePem }],
      [/no certificate and key/, { ...own.secret, "tls.key": own.keyPem.replace("PRIVATE KEY", "SECRET KEY") }],
      [/no certificate and key/, {}],
    ];
    for (const [message, secret] of refused) {
      assert.throws(
        () => readAuthority(secret, "ops"),
        (error) =>
          error instanceof AuthorityError &&
          message.test(error.message) &&
          error.cause === undefined &&
          !error.message.includes(own.keyPem.slice(40, 60)),
      );
    }
  });
});
