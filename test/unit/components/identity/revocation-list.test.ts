import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { createPrivateKey, createPublicKey, verify } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { signDeterministically } from "../../../../components/identity/deterministic-signature";
import { revocationList, type RevokedSerial } from "../../../../components/identity/revocation-list";

const KEYS = {
  ECDSA: ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
  RSA: ["-newkey", "rsa:2048"],
} as const;

const entry = (serial: string, reason: RevokedSerial["reason"] = "keyCompromise"): RevokedSerial => ({
  serial,
  reason,
  date: new Date("2026-11-21T05:30:00Z"),
});

describe("revocation lists", function () {
  this.timeout(30_000);
  let folder: string;
  const file = (name: string) => path.join(folder, name);
  const read = (name: string) => fs.readFileSync(file(name), "utf8");
  const openssl = (...args: string[]) =>
    execFileSync("openssl", args, { cwd: folder, encoding: "utf8", stdio: "pipe" });

  before(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "lucid-crl-"));
    for (const [algorithm, kind] of Object.entries(KEYS)) {
      const subject = `/O=Lucid/CN=ops.lucid.internal issuing ${algorithm}`;
      const authority = ["-keyout", `${algorithm}.key`, "-out", `${algorithm}.crt`, "-subj", subject, "-days", "30"];
      openssl("req", "-x509", "-nodes", ...kind, ...authority);
      for (const [name, serial] of [
        ["one", "0xf1e2d3c4b5a69788"],
        ["two", "0x17"],
      ] as const) {
        openssl("req", "-nodes", ...kind, "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", `/CN=${name}`);
        const signer = ["-CA", `${algorithm}.crt`, "-CAkey", `${algorithm}.key`, "-set_serial", serial];
        openssl("x509", "-req", "-in", `${name}.csr`, ...signer, "-out", `${algorithm}-${name}.crt`);
      }
    }
  });
  after(() => {
    fs.rmSync(folder, { recursive: true });
  });

  const make = (algorithm: string, revoked: readonly RevokedSerial[]) => {
    const pem = revocationList(read(`${algorithm}.crt`), read(`${algorithm}.key`), revoked);
    fs.writeFileSync(file("list.crl"), pem);
    return pem;
  };
  const check = (algorithm: string, name: string) => {
    const args = [
      "verify",
      "-crl_check",
      "-CAfile",
      `${algorithm}.crt`,
      "-CRLfile",
      "list.crl",
      `${algorithm}-${name}.crt`,
    ];
    const { status, stdout, stderr } = spawnSync("openssl", args, { cwd: folder, encoding: "utf8" });
    return { status, output: stdout + stderr };
  };

  for (const algorithm of Object.keys(KEYS)) {
    describe(`signed by ${algorithm}`, () => {
      it("bear their authority's signature, name and key id", () => {
        make(algorithm, [entry("f1e2d3c4b5a69788")]);
        // openssl says so on stderr, and ends with 1 where it isn't so.
        openssl("crl", "-in", "list.crl", "-noout", "-verify", "-CAfile", `${algorithm}.crt`);
        const text = openssl("crl", "-in", "list.crl", "-noout", "-text");
        assert.match(text, /Version 2/);
        assert.match(text, /X509v3 CRL Number/);
        assert.match(text, /Serial Number: F1E2D3C4B5A69788/);
        assert.match(text, /Key Compromise/);
        assert.match(text, /Revocation Date: Nov 21 05:30:00 2026 GMT/);
        const keyId = (of: string) => /Key Identifier:\s+([0-9A-F:]{59})/.exec(of)?.[1];
        const own = openssl("x509", "-in", `${algorithm}.crt`, "-noout", "-text");
        assert.ok(keyId(own) !== undefined);
        assert.equal(keyId(text), keyId(own));
      });

      it("refuse the revoked certificate, and it alone", () => {
        make(algorithm, [entry("f1e2d3c4b5a69788")]);
        assert.match(check(algorithm, "one").output, /certificate revoked/);
        assert.equal(check(algorithm, "two").status, 0);
        make(algorithm, [entry("17"), entry("abc", "superseded")]);
        assert.equal(check(algorithm, "one").status, 0);
        assert.match(check(algorithm, "two").output, /certificate revoked/);
      });

      it("refuse nobody when they are empty, and last longer than their authority", () => {
        make(algorithm, []);
        assert.equal(check(algorithm, "one").status, 0);
        const next = openssl("crl", "-in", "list.crl", "-noout", "-nextupdate").split("=")[1] ?? "";
        const end = openssl("x509", "-in", `${algorithm}.crt`, "-noout", "-enddate").split("=")[1] ?? "";
        assert.ok(Date.parse(next) > Date.parse(end), `${next} is not after ${end}`);
        const last = openssl("crl", "-in", "list.crl", "-noout", "-lastupdate").split("=")[1] ?? "";
        const start = openssl("x509", "-in", `${algorithm}.crt`, "-noout", "-startdate").split("=")[1] ?? "";
        assert.equal(Date.parse(last), Date.parse(start));
      });

      it("are the same text for the same revocations, in any order", () => {
        const revoked = [entry("17"), entry("f1e2d3c4b5a69788"), entry("5", "unspecified")];
        assert.equal(make(algorithm, revoked), make(algorithm, [...revoked].reverse()));
        assert.notEqual(make(algorithm, revoked), make(algorithm, revoked.slice(1)));
      });

      it("have a number that grows", () => {
        const number = () => {
          const text = openssl("crl", "-in", "list.crl", "-noout", "-crlnumber").trim().split("=")[1] ?? "";
          return BigInt(text.startsWith("0x") ? text : `0x${text}`);
        };
        make(algorithm, []);
        const none = number();
        make(algorithm, [entry("17")]);
        const one = number();
        make(algorithm, [entry("17"), entry("18")]);
        assert.ok(none < one && one < number());
      });
    });
  }

  it("refuse a key that is not the authority's", () => {
    assert.throws(() => revocationList(read("RSA.crt"), read("ECDSA.key"), []), /not that of the issuing authority/);
  });
});

describe("deterministic signatures", () => {
  /** RFC 6979, appendix A.2.5: the curve P-256 with SHA-256. */
  const jwk = {
    kty: "EC",
    crv: "P-256",
    d: Buffer.from("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721", "hex").toString("base64url"),
    x: Buffer.from("60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6", "hex").toString("base64url"),
    y: Buffer.from("7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299", "hex").toString("base64url"),
  };
  const key = createPrivateKey({ key: jwk, format: "jwk" });
  const pem = key.export({ type: "pkcs8", format: "pem" }).toString();

  it("of ECDSA are those of the RFC's example", () => {
    const { bytes } = signDeterministically(pem, Buffer.from("sample"));
    const hexadecimal = Buffer.from(bytes).toString("hex").toUpperCase();
    assert.ok(hexadecimal.includes("EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"));
    assert.ok(hexadecimal.includes("F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8"));
    assert.ok(verify("sha256", Buffer.from("sample"), createPublicKey(key), bytes));
  });

  it("are not made by another kind of key", () => {
    const other = execFileSync("openssl", ["genpkey", "-algorithm", "ed25519"], { encoding: "utf8" });
    assert.throws(() => signDeterministically(other, Buffer.from("x")), /only RSA keys and ECDSA keys on P-256/);
  });
});
