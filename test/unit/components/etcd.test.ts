import * as docker from "@pulumi/docker";
import * as kubernetes from "@pulumi/kubernetes";
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { ServiceMesh, loadMesh, parseSettings } from "../../../components";
import { accessDocument } from "../../../components/discovery/etcd/access-document";
import { clientUrls, serverArgs } from "../../../components/discovery/etcd/config";
import { etcdPlugin } from "../../../components/discovery/etcd/resolver";
import { corefile } from "../../../components/discovery/corefile";
import { checkoutDir } from "../../../dev/paths";
import type { Mesh } from "../../../mesh";
import { etcdKeyOf, etcdPrefixOf, rangeEndOf } from "../../../mesh/etcd";
import { revokedMesh } from "../envoy/revoked";
import { installMocks, recorded, settled } from "./mocks";
import type { Recorded } from "./mocks";

const lucid = loadMesh(readFileSync(path.join(checkoutDir, "mesh.yaml"), "utf8"), "mesh.yaml", { tracing: true });
const REGISTRARS = ["registrar-ops", "registrar-chain", "registrar-wallet", "registrar-mesh"];

async function declare(mesh: Mesh): Promise<void> {
  await installMocks();
  new ServiceMesh("lucid", {
    mesh,
    settings: parseSettings({
      apiServerCidr: "10.77.0.10/32",
      nodeResolverIp: "10.96.64.53",
      discoveryBackend: "etcd",
      etcdIp: "10.96.64.55",
    }),
    providers: { kubernetes: new kubernetes.Provider("kubernetes"), docker: new docker.Provider("docker") },
  });
  await settled();
}

const named = (name: string): Recorded => {
  const found = recorded.find((resource) => resource.name === name);
  assert.ok(found, `no resource ${name}`);
  return found;
};
/** Entries of a Secret. What holds a secret comes to a mock in an envelope. */
const keysOf = (secret: string) => {
  const data = named(secret).inputs.stringData as { readonly value?: object };
  return Object.keys(data.value ?? data);
};

describe("the program's resources with etcd", function () {
  this.timeout(180_000);

  describe("of Lucid", () => {
    before(() => declare(lucid));

    it("have nothing of Consul", () => {
      const about = recorded.filter(({ type, name, inputs }) =>
        /consul/i.test(`${type} ${name} ${JSON.stringify(inputs)}`),
      );
      const allowed = /^lucid-/; // Admission policies hold what each backend's images are called by.
      assert.deepEqual(
        about.map(({ name }) => name).filter((name) => !allowed.test(name)),
        [],
      );
    });

    it("put passwords and keys into Secrets, each user's where it is used and root's with the keeper alone", () => {
      for (const { type, name, inputs } of recorded.filter((resource) => resource.type.startsWith("kubernetes:"))) {
        const text = JSON.stringify(inputs);
        if (type !== "kubernetes:core/v1:Secret") assert.doesNotMatch(text, /PRIVATE-|BYTES-/, name);
        assert.equal(text.includes("BYTES-etcd-access-root-password"), name === "etcd-access-passwords", name);
      }
      assert.deepEqual(keysOf("mesh-controller-etcd-passwords").sort(), [...REGISTRARS].sort());
      assert.deepEqual(keysOf("etcd-access-passwords").sort(), ["root", ...REGISTRARS].sort());
    });

    it("give clients of the gateway certificates without a common name, and none of them the controller's identity", () => {
      for (const [request, uri] of [
        ["etcd-access-request", "spiffe://mesh.lucid.internal/ns/lucid-mesh/sa/etcd-access"],
        ["mesh-controller-etcd-request", "spiffe://mesh.lucid.internal/ns/lucid-mesh/sa/etcd-client"],
      ] as const) {
        const { subject, uris } = named(request).inputs as { subject: Record<string, string>; uris: string[] };
        assert.deepEqual(subject, { organization: "Lucid" });
        assert.deepEqual(uris, [uri]);
      }
    });

    it("tell the controller its backend, and exchange the keeper's pod when the document changes", () => {
      const text = JSON.stringify(named("mesh-controller-deployment").inputs);
      assert.match(text, /\{"name":"DISCOVERY_BACKEND","value":"etcd"\}/);
      assert.match(
        JSON.stringify(named("etcd-access-keeper").inputs),
        /"lucid.internal\/access-digest":"[0-9a-f]{16}"/,
      );
    });
  });

  it("give a revoked controller no password and no certificate, and its users are gone", async () => {
    const mesh = revokedMesh("mesh-controller");
    await declare(mesh);
    assert.deepEqual(keysOf("etcd-access-passwords"), ["root"]);
    assert.ok(!recorded.some(({ name }) => name.startsWith("mesh-controller-etcd")));
    assert.deepEqual(Object.keys(accessDocument(mesh).users), ["node-resolver.lucid.internal"]);
  });
});

describe("etcd's keys", () => {
  it("are where CoreDNS looks for the service, and for its version", () => {
    assert.equal(
      etcdKeyOf("ledger", "v-2", "ledger-abc"),
      "/skydns/internal/lucid/discovery/service/ledger/v-2/ledger-abc",
    );
    assert.equal(
      etcdKeyOf("ledger", undefined, "ledger-abc"),
      "/skydns/internal/lucid/discovery/service/ledger/_/ledger-abc",
    );
  });

  it("of a service are a range that holds no other service's", () => {
    const prefix = etcdPrefixOf("ledger");
    const isIn = (key: string) => key >= prefix && key < rangeEndOf(prefix);
    assert.ok(isIn(etcdKeyOf("ledger", "v-2", "a")) && isIn(etcdKeyOf("ledger", undefined, "~")));
    for (const other of ["ledger-2", "ledge", "ledgers", "m"]) assert.ok(!isIn(etcdKeyOf(other, "v-2", "a")), other);
  });
});

describe("who may do what in etcd", () => {
  it("is for each zone its own services' names, one by one", () => {
    const { roles } = accessDocument(lucid);
    const written = (role: string) =>
      (roles[role] ?? []).filter(({ access }) => access === "write").map(({ prefix }) => prefix);
    assert.deepEqual(written("registrar-wallet"), [etcdPrefixOf("payout-router"), etcdPrefixOf("tron-payment")]);
    assert.deepEqual(written("resolver"), []);
    for (const { name, zone } of lucid.services) {
      const writers = Object.keys(roles).filter((role) => written(role).includes(etcdPrefixOf(name)));
      assert.deepEqual(writers, [`registrar-${zone}`], name);
    }
  });

  it("is nothing for a revoked service", () => {
    const { roles } = accessDocument(revokedMesh("payout-router"));
    assert.ok(!JSON.stringify(roles).includes("payout-router"));
  });
});

function writeGolden(file: string, text: string): void {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
}

describe("etcd's golden files", () => {
  const golden = (name: string) => path.join(checkoutDir, "test/golden/files/etcd", name);
  for (const [name, text] of [
    ["Corefile", corefile(etcdPlugin(clientUrls(3), "/etc/etcd/tls"))],
    ["server-args", `${serverArgs(3).join("\n")}\n`],
    ["access.json", `${JSON.stringify(accessDocument(lucid), null, 2)}\n`],
  ] as const) {
    it(name, () => {
      if (process.env.UPDATE_GOLDEN === "1") writeGolden(golden(name), text);
      assert.equal(text, readFileSync(golden(name), "utf8"));
    });
  }
});
