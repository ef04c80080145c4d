import assert from "node:assert/strict";
import { readAuthority, type IssuingAuthority } from "../../src/issuer/authority.js";
import { issueLeaf, type LeafRequest } from "../../src/issuer/certificate.js";
import { judgeLeaf, type Expected, type Fault } from "../../src/issuer/judgement.js";
import { testAuthority } from "../support/authority.js";

const NOW = Date.parse("2026-11-22T10:00:00Z");
const HOUR = 3_600_000;
const REQUEST: LeafRequest = {
  identity: "spiffe://ops.lucid.internal/ns/lucid-ops/sa/admin-ui",
  commonName: "admin-ui.lucid.internal",
  serial: "40".repeat(16),
  algorithm: "ECDSA",
  notBefore: NOW - HOUR,
  notAfter: NOW + 23 * HOUR,
};

describe("issuer: judging a leaf", () => {
  let authority: IssuingAuthority;
  let expected: Expected;
  let good: Record<string, string>;

  const made = async (change: Partial<LeafRequest> = {}, by = authority) => {
    const { chainPem, keyPem } = await issueLeaf({ ...REQUEST, ...change }, by);
    return { "tls.crt": chainPem, "tls.key": keyPem };
  };
  const faultOf = (data: Record<string, string> | undefined, now = NOW, changed: Partial<Expected> = {}) => {
    const verdict = judgeLeaf(data, { ...expected, ...changed }, now);
    return verdict.kind === "good" ? "good" : verdict.fault;
  };

  before(async () => {
    authority = readAuthority((await testAuthority()).secret, "ops");
    expected = {
      identity: REQUEST.identity,
      commonName: REQUEST.commonName,
      policy: { services: ["admin-ui"], validityHours: 24, algorithm: "ECDSA", revoked: [] },
      authority,
    };
    good = await made();
  });

  it("keeps one that is as it should be", () => {
    const verdict = judgeLeaf(good, expected, NOW);
    assert.ok(verdict.kind === "good");
    assert.equal(verdict.record.serial, REQUEST.serial);
    assert.equal(verdict.record.notAfter, REQUEST.notAfter);
    assert.equal(verdict.record.notBefore, REQUEST.notBefore);
  });

  it("finds whatever is wrong with one", async () => {
    const other = readAuthority((await testAuthority("ops.lucid.internal")).secret, "ops");
    const others = await made();
    const [leafPem = "", issuingPem = ""] = (good["tls.crt"] ?? "").split(/(?<=-----END CERTIFICATE-----\n)/);
    const cases: readonly (readonly [Fault, string, Record<string, string> | undefined])[] = [
      ["missing", "no Secret", undefined],
      ["missing", "no key", { "tls.crt": good["tls.crt"] ?? "" }],
      ["missing", "an empty certificate", { ...good, "tls.crt": "" }],
      ["unreadable", "no certificate", { ...good, "tls.crt": "certificate" }],
      ["unreadable", "no key in the file", { ...good, "tls.key": "key" }],
      ["unreadable", "a cut certificate", { ...good, "tls.crt": leafPem.replace(/\n.{64}\n/, "\n") }],
      ["mismatched", "another's key", { ...good, "tls.key": others["tls.key"] }],
      ["mismatched", "another's certificate", { ...good, "tls.crt": others["tls.crt"] }],
      ["mismatched", "a file too many", { ...good, "ca.crt": issuingPem }],
      ["misissued", "another authority", await made({}, other)],
      ["misissued", "no chain", { ...good, "tls.crt": leafPem }],
      ["misissued", "a longer chain", { ...good, "tls.crt": leafPem + issuingPem + issuingPem }],
      ["misissued", "another authority's name behind it", { ...good, "tls.crt": leafPem + other.certificatePem }],
      ["misissued", "another identity", await made({ identity: REQUEST.identity.replace("admin-ui", "jaeger") })],
      ["misissued", "a further identity", await made({ identity: `${REQUEST.identity}, URI:spiffe://x` })],
      ["misissued", "another name", await made({ commonName: "jaeger.lucid.internal" })],
      ["misissued", "a key of another kind", await made({ algorithm: "RSA" })],
      ["overlong", "a longer life", await made({ notAfter: NOW + 24 * HOUR })],
      ["early", "one that begins later", await made({ notBefore: NOW + 1000 })],
    ];
    for (const [fault, what, data] of cases) {
      assert.equal(faultOf(data), fault, what);
    }
  });

  it("finds one that was revoked", () => {
    const policy = { ...expected.policy, revoked: ["1", REQUEST.serial] };
    assert.equal(faultOf(good, NOW, { policy }), "revoked");
  });

  it("has it made anew at two thirds of its life, or up to a twentieth sooner, whoever looks", async () => {
    const renewals = new Set<number>();
    for (let count = 0; count < 20; count += 1) {
      const leaf = await made({ serial: `4${count.toString(16).padStart(31, "0")}` });
      const verdict = judgeLeaf(leaf, expected, NOW);
      assert.ok(verdict.kind === "good");
      const { renewal } = verdict.record;
      renewals.add(renewal);
      const share = (renewal - REQUEST.notBefore) / (REQUEST.notAfter - REQUEST.notBefore);
      assert.ok(share <= 2 / 3 && share >= 2 / 3 - 1 / 20, String(share));
      assert.equal(faultOf(leaf, renewal - 1), "good");
      assert.equal(faultOf(leaf, renewal), "due");
      assert.deepEqual(judgeLeaf(leaf, expected, NOW + HOUR), verdict);
    }
    assert.ok(renewals.size > 15, `${String(renewals.size)} instants`);
  });

  it("never takes one for good whose bytes were changed", async () => {
    const pem = good["tls.crt"] ?? "";
    const der = Buffer.from(pem.split("-----")[2] ?? "", "base64");
    for (let at = 0; at < der.length; at += 7) {
      const changed = Buffer.from(der);
      changed.writeUInt8((changed[at] ?? 0) ^ 1, at);
      const text = pem.replace(
        pem.split("-----")[2] ?? "",
        `\n${(changed.toString("base64").match(/.{1,64}/g) ?? []).join("\n")}\n`,
      );
      assert.notEqual(faultOf({ ...good, "tls.crt": text }), "good", `byte ${String(at)}`);
    }
    await Promise.resolve();
  });
});
