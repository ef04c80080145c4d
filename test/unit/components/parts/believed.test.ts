// The library below decorates classes and needs this first.
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import { parseSettings } from "../../../../components";
import { generationsOf } from "../../../../components/identity/generations";
import { trustInNobody } from "../../../../components/identity/nobody";
import { believedOf, issuerGeneration, rootGeneration } from "../../../../components/parts/believed";
import { Authority } from "../../../integration/envoy/pki";

const REQUIRED = { apiServerCidr: "10.0.0.1/32", nodeResolverIp: "10.96.0.53", consulIp: "10.96.0.54" };
const DOMAIN = "wallet.lucid.internal";

describe("what another part told, believed", () => {
  const under = (config: Readonly<Record<string, string>>) =>
    generationsOf("wallet", parseSettings({ ...REQUIRED, ...config }));
  /** What the first root's authorities tell, the list of another one under it, and a second root with the list of its authority. */
  const told = async () => {
    const first = await Authority.create(DOMAIN);
    const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
    const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
    const name = `CN=${DOMAIN} root 2`;
    const root = await x509.X509CertificateGenerator.createSelfSigned({ name, keys, signingAlgorithm: algorithm });
    return {
      one: await first.bundle(),
      next: await (await first.successor()).revocations(),
      other: {
        roots: `${root.toString("pem")}\n`,
        revocations: await (await Authority.create(`${DOMAIN} root 2`)).revocations(),
      },
    };
  };

  it("names its generations as its authorities are named", () => {
    assert.equal(rootGeneration(`${DOMAIN} root`, "wallet"), 1);
    assert.equal(rootGeneration(`${DOMAIN} root 3`, "wallet"), 3);
    assert.equal(rootGeneration(`${DOMAIN} root 3`, "ops"), undefined);
    assert.equal(rootGeneration(`${DOMAIN} nobody`, "wallet"), undefined);
    assert.deepEqual(issuerGeneration(`${DOMAIN} issuing`, "wallet"), { root: 1, issuer: 1 });
    assert.deepEqual(issuerGeneration(`${DOMAIN} issuing 2`, "wallet"), { root: 1, issuer: 2 });
    assert.deepEqual(issuerGeneration(`${DOMAIN} root 2 issuing 3`, "wallet"), { root: 2, issuer: 3 });
    assert.equal(issuerGeneration(`${DOMAIN} root 2`, "wallet"), undefined);
    assert.equal(issuerGeneration(`walletxlucid.internal issuing`, "wallet"), undefined);
  });

  it("is what was told where nothing is compromised", async () => {
    const { one, next } = await told();
    const trust = {
      rootsPem: one.roots,
      revocationsPem: one.revocations + next,
      generations: { roots: [1], issuers: [1, 2] },
    };
    assert.equal(believedOf("wallet", trust, under({})), trust);
  });

  it("is without an issuing authority that this stack calls compromised, whose root goes on", async () => {
    const { one, next } = await told();
    const trust = {
      rootsPem: one.roots,
      revocationsPem: one.revocations + next,
      generations: { roots: [1], issuers: [1, 2] },
    };
    const own = under({ issuingGenerations: '{"wallet": {"kept": [2], "issuing": 2, "compromised": [1]}}' });
    assert.deepEqual(believedOf("wallet", trust, own), {
      rootsPem: one.roots,
      revocationsPem: next,
      generations: { roots: [1], issuers: [2] },
    });
  });

  it("is the other root where one is compromised", async () => {
    const { one, next, other } = await told();
    const trust = {
      rootsPem: one.roots + other.roots,
      revocationsPem: one.revocations + next + other.revocations,
      generations: { roots: [1, 2], issuers: [1, 2] },
    };
    const own = under({ rootGenerations: '{"wallet": {"trusted": [2], "issuing": 2, "compromised": [1]}}' });
    assert.deepEqual(believedOf("wallet", trust, own), {
      rootsPem: other.roots,
      revocationsPem: other.revocations,
      generations: { roots: [2], issuers: [1, 2] },
    });
  });

  it("is nobody where the only root is one that this stack calls compromised", async () => {
    const { one } = await told();
    const trust = { rootsPem: one.roots, revocationsPem: one.revocations, generations: { roots: [1], issuers: [1] } };
    const own = under({ rootGenerations: '{"wallet": {"trusted": [2], "issuing": 2, "compromised": [1]}}' });
    assert.deepEqual(believedOf("wallet", trust, own), {
      ...trustInNobody("wallet"),
      generations: { roots: [], issuers: [1] },
    });
  });
});
