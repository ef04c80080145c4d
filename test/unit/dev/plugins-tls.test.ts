import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash, createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import { type Properties, reveal, Secret, UNKNOWN } from "../../../dev/plugins/protocol/values";
import { generateKey, keyTexts } from "../../../dev/plugins/tls/keys";
import { tlsProvider } from "../../../dev/plugins/tls/provider";
import { TestedResource } from "./plugins-resource";

const HOUR_MS = 3_600_000;
const SPIFFE_ID = "spiffe://wallet.lucid.internal/ns/lucid-wallet/sa/payout-router";

function resource(type: string): TestedResource {
  return new TestedResource(tlsProvider(), `tls:index/${type.charAt(0).toLowerCase()}${type.slice(1)}:${type}`);
}

/** Creates after the check that the engine would make. */
async function make(type: string, inputs: Properties): Promise<Record<string, string>> {
  const tested = resource(type);
  assert.deepEqual(await tested.failures(inputs), []);
  const { outputs } = await tested.create(inputs);
  const texts = Object.entries(reveal(outputs)).flatMap(([key, value]) =>
    typeof value === "string" ? [[key, value]] : [],
  );
  return Object.fromEntries(texts) as Record<string, string>;
}

async function key(algorithm: string): Promise<string> {
  const { privateKeyPemPkcs8 = "" } = await make("PrivateKey", { algorithm, ecdsaCurve: "P256" });
  return privateKeyPemPkcs8;
}

function authority(privateKeyPem: string, more: Properties = {}): Properties {
  return {
    privateKeyPem,
    subject: { commonName: "root", organization: "Lucid", country: "CH" },
    isCaCertificate: true,
    setAuthorityKeyId: true,
    allowedUses: ["cert_signing", "crl_signing"],
    validityPeriodHours: 24,
    ...more,
  };
}

for (const algorithm of ["ECDSA", "RSA"]) {
  describe(`plugins: tls, certificates by ${algorithm}`, () => {
    let rootKey: string;
    let issuingKey: string;
    let leafKey: string;
    let root: string;
    let issuing: string;
    let leaf: Record<string, string>;

    before(async () => {
      [rootKey, issuingKey, leafKey] = await Promise.all([key(algorithm), key(algorithm), key(algorithm)]);
      root = (await make("SelfSignedCert", authority(rootKey))).certPem ?? "";
      const issuingRequest = await make("CertRequest", {
        privateKeyPem: issuingKey,
        subject: { commonName: "issuing" },
      });
      issuing =
        (
          await make("LocallySignedCert", {
            certRequestPem: issuingRequest.certRequestPem ?? "",
            caPrivateKeyPem: rootKey,
            caCertPem: root,
            isCaCertificate: true,
            maxPathLength: 1,
            allowedUses: ["cert_signing", "crl_signing"],
            validityPeriodHours: 12,
          })
        ).certPem ?? "";
      const request = await make("CertRequest", {
        privateKeyPem: leafKey,
        subject: { organization: "Lucid", commonName: "payout-router" },
        uris: [SPIFFE_ID],
        dnsNames: ["a.example"],
        ipAddresses: ["127.0.0.1", "::1"],
      });
      leaf = await make("LocallySignedCert", {
        certRequestPem: request.certRequestPem ?? "",
        caPrivateKeyPem: issuingKey,
        caCertPem: issuing,
        setSubjectKeyId: true,
        allowedUses: ["digital_signature", "server_auth", "client_auth"],
        validityPeriodHours: 1,
      });
    });

    it("form a chain that Node believes", () => {
      const [rootCertificate, issuingCertificate, leafCertificate] = [root, issuing, leaf.certPem ?? ""].map(
        (pem) => new X509Certificate(pem),
      );
      assert.ok(rootCertificate && issuingCertificate && leafCertificate);
      assert.ok(rootCertificate.ca && issuingCertificate.ca && !leafCertificate.ca);
      assert.ok(rootCertificate.verify(rootCertificate.publicKey));
      assert.ok(
        issuingCertificate.checkIssued(rootCertificate) && issuingCertificate.verify(rootCertificate.publicKey),
      );
      assert.ok(
        leafCertificate.checkIssued(issuingCertificate) && leafCertificate.verify(issuingCertificate.publicKey),
      );
      assert.equal(leafCertificate.subject, "O=Lucid\nCN=payout-router");
      assert.equal(
        leafCertificate.subjectAltName,
        `DNS:a.example, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, URI:${SPIFFE_ID}`,
      );
      assert.deepEqual(leafCertificate.keyUsage, ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]);
      assert.ok(leafCertificate.checkPrivateKey(createPrivateKey(leafKey)));
      assert.equal(Date.parse(leafCertificate.validTo) - Date.parse(leafCertificate.validFrom), HOUR_MS);
      assert.equal(BigInt(`0x${leafCertificate.serialNumber}`) > 0n, true);
    });

    it("form a chain that OpenSSL believes, strictly, with the extensions that Go's library would write", () => {
      inFolder((folder) => {
        for (const [name, pem] of Object.entries({ root, issuing, leaf: leaf.certPem ?? "" })) {
          writeFileSync(path.join(folder, name), pem);
        }
        const openssl = (...args: string[]): string => execFileSync("openssl", args, { cwd: folder, encoding: "utf8" });
        openssl("verify", "-x509_strict", "-CAfile", "root", "-untrusted", "issuing", "leaf");
        const text = openssl("x509", "-in", "issuing", "-noout", "-text");
        assert.match(text, /Basic Constraints: critical\s+CA:TRUE, pathlen:1/);
        assert.match(text, /Key Usage: critical\s+Certificate Sign, CRL Sign/);
        assert.match(text, /Subject Key Identifier/);
        assert.match(text, /Authority Key Identifier/);
      });
    });

    it("refuse a request that its own key has not signed, and an authority's key that isn't its certificate's", async () => {
      const { certRequestPem = "" } = await make("CertRequest", {
        privateKeyPem: leafKey,
        subject: { commonName: "x" },
      });
      const inputs = { caPrivateKeyPem: rootKey, caCertPem: root, allowedUses: [], validityPeriodHours: 1 };
      const certificate = resource("LocallySignedCert");
      await assert.rejects(
        certificate.create({ ...inputs, certRequestPem: withBrokenSignature(certRequestPem) }),
        /request/,
      );
      await assert.rejects(
        certificate.create({ ...inputs, certRequestPem, caPrivateKeyPem: leafKey }),
        /caPrivateKeyPem is not the key of caCertPem/,
      );
    });
  });
}

describe("plugins: tls, private keys", () => {
  for (const [algorithm, curve] of [
    ["RSA", "P256"],
    ["ECDSA", "P256"],
    ["ECDSA", "P384"],
    ["ECDSA", "P521"],
    ["ED25519", "P256"],
  ] as const) {
    it(`have all forms: ${algorithm}${algorithm === "ECDSA" ? ` ${curve}` : ""}`, async () => {
      const texts = keyTexts(await generateKey(algorithm, 2048, curve));
      const publicDer = createPublicKey(texts.pkcs8).export({ type: "spki", format: "der" });
      assert.deepEqual(
        createPublicKey(createPrivateKey(texts.traditional)).export({ type: "spki", format: "der" }),
        publicDer,
      );
      assert.equal(texts.fingerprint, createHash("sha1").update(publicDer).digest("hex"));
      inFolder((folder) => {
        const file = path.join(folder, "key");
        writeFileSync(file, texts.openssh, { mode: 0o600 });
        const derived = execFileSync("ssh-keygen", ["-y", "-f", file], { encoding: "utf8" });
        assert.equal(derived.trim(), texts.publicOpenssh.trim());
        assert.ok(execFileSync("ssh-keygen", ["-lf", file], { encoding: "utf8" }).includes(texts.sha256));
        assert.ok(execFileSync("ssh-keygen", ["-E", "md5", "-lf", file], { encoding: "utf8" }).includes(texts.md5));
      });
    });
  }

  it("have no OpenSSH form on P224, the SDK's default curve", async () => {
    const { privateKeyOpenssh, publicKeyOpenssh, ecdsaCurve } = await make("PrivateKey", { algorithm: "ECDSA" });
    assert.deepEqual([ecdsaCurve, privateKeyOpenssh, publicKeyOpenssh], ["P224", "", ""]);
  });

  it("are secret, at preview too, and their public halves are not", async () => {
    const outputs = await resource("PrivateKey").preview({ algorithm: "RSA" });
    assert.deepEqual(outputs.privateKeyPem, new Secret(UNKNOWN));
    assert.deepEqual(outputs.privateKeyPemPkcs8, new Secret(UNKNOWN));
    assert.equal(outputs.publicKeyPem, UNKNOWN);
    assert.equal(outputs.rsaBits, 2048);
    const { outputs: made } = await resource("PrivateKey").create({ algorithm: "ED25519" });
    assert.ok(made.privateKeyPem instanceof Secret && made.privateKeyOpenssh instanceof Secret);
  });
});

describe("plugins: tls, inputs", () => {
  for (const [title, type, inputs, property] of [
    ["an unknown input", "PrivateKey", { algorithm: "RSA", bits: 1 }, "bits"],
    ["an unknown algorithm", "PrivateKey", { algorithm: "DSA" }, "algorithm"],
    ["an unknown use", "SelfSignedCert", authority("k", { allowedUses: ["cert_sign"] }), "allowedUses"],
    ["an unknown member of the subject", "CertRequest", { privateKeyPem: "k", subject: { cn: "x" } }, "subject.cn"],
    ["a missing key", "CertRequest", {}, "privateKeyPem"],
    ["write-only keys", "CertRequest", { privateKeyPem: "k", privateKeyPemWo: "k" }, "privateKeyPemWo"],
  ] as const) {
    it(`are refused for ${title}`, async () => {
      const failures = await resource(type).failures(inputs);
      assert.deepEqual(
        failures.map((failure) => failure.property),
        [property],
      );
    });
  }

  it("are taken on trust until they are known", async () => {
    const inputs = authority("", { privateKeyPem: new Secret(UNKNOWN) });
    assert.deepEqual(await resource("SelfSignedCert").failures(inputs), []);
  });

  it("that contradict each other are refused when the certificate is made", async () => {
    const privateKeyPem = await key("ECDSA");
    const certificate = resource("SelfSignedCert");
    for (const [more, message] of [
      [{ isCaCertificate: false, setAuthorityKeyId: false, maxPathLength: 1 }, /maxPathLength/],
      [{ isCaCertificate: false }, /setAuthorityKeyId/],
      [{ subject: {} }, /needs a subject/],
      [{ uris: ["nonsense"] }, /no URI/],
      [{ ipAddresses: ["300.1.1.1"] }, /no IP address/],
    ] as const) {
      await assert.rejects(certificate.create(authority(privateKeyPem, more as unknown as Properties)), message);
    }
  });
});

function withBrokenSignature(pem: string): string {
  const der = Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ""), "base64");
  // The last byte of the signature.
  der[der.length - 1] = (der[der.length - 1] ?? 0) ^ 1;
  return `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString("base64")}\n-----END CERTIFICATE REQUEST-----\n`;
}

function inFolder(use: (folder: string) => void): void {
  const folder = mkdtempSync(path.join(tmpdir(), "lucid-tls-"));
  try {
    use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
