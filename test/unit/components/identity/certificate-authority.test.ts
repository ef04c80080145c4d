import * as pulumi from "@pulumi/pulumi";
import assert from "node:assert/strict";
import { CertificateAuthority, type KeyAlgorithm } from "../../../../components/certificate-authority";
import type { AuthorityGenerations } from "../../../../components/identity/generations";
import { FIRST_GENERATIONS } from "../../../../components/identity/generations";
import { installMocks, recorded, settled } from "../mocks";

const zone = { name: "ops", namespace: "lucid-ops", trustDomain: "ops.lucid.internal" } as const;
const generations = (roots: [number[], number], issuers: [number[], number] = [[1], 1]): AuthorityGenerations => ({
  roots: { accepted: roots[0], issuing: roots[1], compromised: [] },
  issuers: { accepted: issuers[0], issuing: issuers[1], compromised: [] },
});

/** What a program with these generations declares: resources by name with their inputs, and what peers and the leaf are given. */
async function declared(of?: AuthorityGenerations, algorithm: KeyAlgorithm = "ECDSA", revision?: string) {
  await installMocks();
  const authority = new CertificateAuthority("ops-ca", { zone, algorithm, generations: of });
  const leaf = authority.issue(
    "admin-ui-sidecar",
    { commonName: "admin-ui.lucid.internal", uri: "spiffe://ops.lucid.internal/x", validityDays: 90, revision },
    authority,
  );
  await settled();
  const value = <T>(output: pulumi.Output<T>) =>
    new Promise<T>((resolve) => {
      output.apply(resolve);
    });
  const resources = new Map(recorded.map(({ name, inputs }) => [name, inputs]));
  const roots = await value(authority.rootsPem);
  const lists = await value(authority.revocationsPem);
  return {
    resources,
    names: [...resources.keys()].sort(),
    roots: [...roots.matchAll(/^CERTIFICATE-(.*)$/gm)].map(([, name]) => name),
    lists: lists.split("-----BEGIN X509 CRL-----").length - 1,
    leafIssuer: String(
      resources.get(`admin-ui-sidecar${revision === undefined ? "" : `-${revision}`}-certificate`)?.caCertPem,
    ).split("\n")[0],
    chain: [...(await value(leaf.chainPem)).matchAll(/^CERTIFICATE-(.*)$/gm)].map(([, name]) => name),
    secret: await pulumi.isSecret(authority.revocationsPem),
  };
}
const without = (all: readonly string[], less: readonly string[]) => all.filter((name) => !less.includes(name));

describe("a zone's authorities", function () {
  this.timeout(30_000);

  it("of the first generation bear no number", async () => {
    const { names, roots, lists, leafIssuer, secret } = await declared();
    assert.deepEqual(
      names.filter((name) => name.startsWith("ops-ca")),
      ["ops-ca", "ops-ca-issuing", "ops-ca-issuing-key", "ops-ca-issuing-request", "ops-ca-root", "ops-ca-root-key"],
    );
    assert.deepEqual(roots, ["ops-ca-root"]);
    assert.equal(lists, 1);
    assert.equal(leafIssuer, "CERTIFICATE-ops-ca-issuing");
    assert.equal(secret, false, "revocation lists are public, or no preview could show them");
    assert.deepEqual((await declared(FIRST_GENERATIONS)).resources, (await declared()).resources);
  });

  it("exchange the root in three steps, of which none touches what the one before made", async () => {
    const start = await declared();
    const trusted = await declared(generations([[1, 2], 1]));
    const issuing = await declared(generations([[1, 2], 2]));
    const dropped = await declared(generations([[2], 2]));
    const second = ["ops-ca-root-2", "ops-ca-root-2-key"];
    const under = ["ops-ca-root-2-issuing", "ops-ca-root-2-issuing-key", "ops-ca-root-2-issuing-request"];

    assert.deepEqual(without(trusted.names, start.names), [...second, ...under].sort(), "created by the first");
    assert.deepEqual(without(start.names, trusted.names), []);
    assert.deepEqual(trusted.roots, ["ops-ca-root", "ops-ca-root-2"]);
    assert.equal(trusted.lists, 2, "the list of the next authority is there before what it signs");
    for (const name of start.names.filter((candidate) => candidate !== "ops-ca")) {
      assert.deepEqual(trusted.resources.get(name), start.resources.get(name), `${name} is as it was`);
    }

    assert.deepEqual(issuing.names, trusted.names, "the second creates and deletes nothing");
    const changed = issuing.names.filter(
      (name) => JSON.stringify(issuing.resources.get(name)) !== JSON.stringify(trusted.resources.get(name)),
    );
    assert.deepEqual(changed, ["admin-ui-sidecar-certificate", "ops-ca"], "it issues the leaf anew, for the same key");
    assert.equal(issuing.leafIssuer, "CERTIFICATE-ops-ca-root-2-issuing");
    assert.deepEqual(issuing.chain, ["admin-ui-sidecar-certificate", "ops-ca-root-2-issuing"]);
    assert.deepEqual(issuing.roots, trusted.roots);

    const old = without(start.names, ["ops-ca", ...start.names.filter((name) => name.startsWith("admin-ui"))]);
    assert.deepEqual(without(issuing.names, dropped.names), old, "deleted by the third");
    assert.deepEqual(without(dropped.names, issuing.names), []);
    assert.deepEqual(dropped.roots, ["ops-ca-root-2"]);
    for (const name of dropped.names.filter((candidate) => candidate !== "ops-ca")) {
      assert.deepEqual(dropped.resources.get(name), issuing.resources.get(name), `${name} is as it was`);
    }
  });

  it("exchange the issuing authority in three steps under one root", async () => {
    const kept = await declared(generations([[1], 1], [[1, 2], 1]));
    const issuing = await declared(generations([[1], 1], [[1, 2], 2]));
    const dropped = await declared(generations([[1], 1], [[2], 2]));
    assert.equal(kept.leafIssuer, "CERTIFICATE-ops-ca-issuing");
    assert.equal(kept.lists, 2);
    assert.equal(kept.resources.get("ops-ca-issuing-2")?.caCertPem, kept.resources.get("ops-ca-issuing")?.caCertPem);
    assert.equal(issuing.leafIssuer, "CERTIFICATE-ops-ca-issuing-2");
    assert.deepEqual(issuing.names, kept.names);
    assert.equal(dropped.lists, 1);
    assert.deepEqual(dropped.roots, ["ops-ca-root"]);
    assert.ok(!dropped.resources.has("ops-ca-issuing"));
  });

  it("of different generations bear different names and never one resource's", async () => {
    const { resources } = await declared(generations([[1, 2, 12], 2], [[1, 2], 1]));
    const subjects = [...resources].flatMap(([name, inputs]) =>
      /^ops-ca.*(root(-\d+)?|request)$/.test(name) && inputs.subject !== undefined
        ? [(inputs.subject as { commonName: string }).commonName]
        : [],
    );
    assert.equal(subjects.length, 9);
    assert.equal(new Set(subjects).size, 9, subjects.join(", "));
    const names = recorded.map(({ name }) => name);
    assert.equal(new Set(names).size, names.length);
  });

  it("refuse to issue by a generation that they don't have", async () => {
    await installMocks();
    const odd = generations([[1], 2]);
    assert.throws(
      () => new CertificateAuthority("odd-ca", { zone, algorithm: "ECDSA", generations: odd }),
      /does not have/,
    );
  });

  it("give a service whose certificate was revoked another key and leaf", async () => {
    const { names } = await declared(undefined, "ECDSA", "1a2b3c4d");
    assert.deepEqual(
      names.filter((name) => name.startsWith("admin-ui")),
      ["certificate", "key", "request"].map((part) => `admin-ui-sidecar-1a2b3c4d-${part}`),
    );
  });

  for (const algorithm of ["ECDSA", "RSA"] as const) {
    it(`say what a leaf is, by ${algorithm}`, async () => {
      const { resources } = await declared(undefined, algorithm);
      const key = resources.get("admin-ui-sidecar-key");
      assert.deepEqual(key, algorithm === "ECDSA" ? { algorithm, ecdsaCurve: "P256" } : { algorithm, rsaBits: 2048 });
      const request = resources.get("admin-ui-sidecar-request");
      assert.deepEqual(request?.uris, ["spiffe://ops.lucid.internal/x"]);
      assert.equal(request.dnsNames, undefined);
      assert.deepEqual(request.subject, { commonName: "admin-ui.lucid.internal", organization: "Lucid" });
      const leaf = resources.get("admin-ui-sidecar-certificate");
      const uses = algorithm === "ECDSA" ? [] : ["key_encipherment"];
      assert.deepEqual(leaf?.allowedUses, ["digital_signature", ...uses, "server_auth", "client_auth"]);
      assert.equal(leaf.isCaCertificate, undefined);
      assert.equal(leaf.validityPeriodHours, 90 * 24);
      const root = resources.get("ops-ca-root");
      assert.equal(root?.maxPathLength, 1, "no authority below the issuing one");
      assert.deepEqual(root.allowedUses, ["cert_signing", "crl_signing"]);
    });
  }
});
