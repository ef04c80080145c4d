import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { kubeconfig, writePrivate } from "../../../dev/cluster/kubeconfig";
import { nodeMachine } from "../../../dev/cluster/layout";
import { apiServerNames, kubeletRequest, Pki } from "../../../dev/cluster/pki";

describe("the embedded cluster's certificates", () => {
  let directory: string;
  let pki: Pki;
  const read = (file: string): X509Certificate => new X509Certificate(fs.readFileSync(file));

  beforeEach(() => {
    directory = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "pki-")), "pki");
    pki = new Pki(directory);
  });

  afterEach(() => {
    fs.rmSync(path.dirname(directory), { recursive: true });
  });

  it("are signed by their authority and by no other", async () => {
    const request = { commonName: "a", usages: ["client" as const] };
    const leaf = read((await pki.leaf("kubernetes", "a", request)).certificate);
    const authority = read((await pki.authority("kubernetes")).certificate);
    const other = read((await pki.authority("etcd")).certificate);
    assert.ok(leaf.checkIssued(authority) && leaf.verify(authority.publicKey));
    assert.equal(leaf.verify(other.publicKey), false);
    assert.equal(authority.ca, true);
    assert.equal(leaf.ca, false);
  });

  it("name the API server by every name and address it is asked by", async () => {
    const pair = await pki.leaf("kubernetes", "api", { commonName: "api", ...apiServerNames, usages: ["server"] });
    const names = read(pair.certificate).subjectAltName ?? "";
    for (const name of [
      "DNS:kubernetes.default.svc",
      "IP Address:10.96.0.1",
      "IP Address:10.77.0.10",
      "IP Address:127.0.0.1",
    ]) {
      assert.ok(names.includes(name), `${name} is not in ${names}`);
    }
  });

  it("make a kubelet the user and group that node authorization knows", async () => {
    const { subject } = read((await pki.leaf("kubernetes", "node1", kubeletRequest(nodeMachine(1)))).certificate);
    assert.match(subject, /^O=system:nodes$/m);
    assert.match(subject, /^CN=system:node:node1$/m);
  });

  it("are made once and kept; asked for at the same time, they have one authority", async () => {
    const names = ["a", "b", "c", "a"];
    const request = { commonName: "a", usages: ["client" as const] };
    const pairs = await Promise.all(names.map((name) => pki.leaf("x", name, request)));
    const authority = read((await pki.authority("x")).certificate);
    for (const { certificate } of pairs) {
      assert.ok(read(certificate).verify(authority.publicKey), certificate);
    }
    const first = read(pairs[0]?.certificate ?? "").fingerprint256;
    assert.equal(read((await new Pki(directory).leaf("x", "a", request)).certificate).fingerprint256, first);
  });

  it("are made anew when their authority was", async () => {
    const request = { commonName: "a", usages: ["client" as const] };
    const before = read((await pki.leaf("x", "a", request)).certificate).fingerprint256;
    fs.rmSync(path.join(directory, "x-ca.key"));
    assert.notEqual(read((await new Pki(directory).leaf("x", "a", request)).certificate).fingerprint256, before);
  });

  it("keep their keys to their owner", async () => {
    await pki.leaf("x", "a", { commonName: "a", usages: ["client"] });
    await pki.tokenKey();
    assert.equal(fs.statSync(directory).mode & 0o777, 0o700);
    const keys = fs.readdirSync(directory).filter((name) => name.endsWith(".key"));
    assert.deepEqual(keys.sort(), ["a.key", "tokens.key", "x-ca.key"]);
    for (const key of keys) {
      assert.equal(fs.statSync(path.join(directory, key)).mode & 0o777, 0o600, key);
    }
  });

  it("go into a kubeconfig that needs no other file and that only its owner reads", async () => {
    const { certificate: authority } = await pki.authority("x");
    const client = await pki.leaf("x", "admin", { commonName: "admin", usages: ["client"] });
    const file = path.join(directory, "sub", "kubeconfig");
    writePrivate(file, kubeconfig("https://127.0.0.1:6443", authority, client));
    assert.equal(fs.statSync(file).mode & 0o777, 0o600);
    const text = fs.readFileSync(file, "utf8");
    assert.match(text, /"server": "https:\/\/127\.0\.0\.1:6443"/);
    assert.ok(text.includes(fs.readFileSync(client.key).toString("base64")));
    assert.ok(!text.includes(directory));
  });
});
