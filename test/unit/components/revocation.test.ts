import * as docker from "@pulumi/docker";
import * as kubernetes from "@pulumi/kubernetes";
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { ServiceMesh, parseSettings } from "../../../components";
import { REASON, revokedMesh } from "../envoy/revoked";
import { installMocks, recorded, settled, type Recorded } from "./mocks";

type Inputs = Readonly<Record<string, unknown>>;

/** What the program declares with these services revoked, by type and name. */
async function declared(...names: readonly string[]): Promise<ReadonlyMap<string, Inputs>> {
  await installMocks();
  new ServiceMesh("lucid", {
    mesh: revokedMesh(...names),
    settings: parseSettings({
      apiServerCidr: "10.77.0.10/32",
      nodeResolverIp: "10.96.64.53",
      consulIp: "10.96.64.54",
    }),
    discoveryAddress: "127.0.0.1:18501",
    providers: { kubernetes: new kubernetes.Provider("kubernetes"), docker: new docker.Provider("docker") },
  });
  await settled();
  return new Map(
    recorded.map(({ type, name, inputs }: Recorded) => [`${type.split(":").at(-1) ?? ""} ${name}`, inputs]),
  );
}

describe("the resources of a revoked service", function () {
  this.timeout(60_000);
  let standing: ReadonlyMap<string, Inputs>;
  let revoked: ReadonlyMap<string, Inputs>;
  before(async () => {
    standing = await declared();
    revoked = await declared("payout-router");
  });
  const of = (name: string, resources = revoked) => resources.get(name) ?? assert.fail(`no ${name}`);

  it("are those that it had, without the account that pods and tokens are made by", () => {
    const gone = [...standing.keys()].filter((name) => !revoked.has(name));
    assert.deepEqual(gone, ["ServiceAccount payout-router-account"]);
    assert.deepEqual(
      [...revoked.keys()].filter((name) => !standing.has(name)),
      [],
    );
  });

  it("run nothing, and say why", () => {
    const { metadata, spec } = of("Deployment payout-router-deployment") as {
      metadata: { annotations?: object };
      spec: { replicas: number };
    };
    assert.equal(spec.replicas, 0);
    assert.deepEqual(metadata.annotations, { "lucid.internal/revoked": REASON });
    const other = of("Deployment tron-payment-deployment") as { metadata: object };
    assert.ok(!("annotations" in other.metadata));
  });

  it("are let in and out by no NetworkPolicy", () => {
    const { spec } = of("NetworkPolicy wallet-payout-router") as { spec: object };
    assert.deepEqual(Object.keys(spec).sort(), ["podSelector", "policyTypes"]);
  });

  it("can't be registered", () => {
    const rules = String(of("AclPolicy consul-registrar-wallet-policy").rules);
    assert.match(rules, /service "tron-payment"/);
    assert.doesNotMatch(rules, /payout-router/);
  });

  it("have a certificate that is as it was, and on the list that each peer of its zone has", () => {
    const certificate = "LocallySignedCert payout-router-sidecar-certificate";
    assert.deepEqual(of(certificate), of(certificate, standing));
    const listed = (name: string, resources: ReadonlyMap<string, Inputs>) => {
      const { data } = of(`ConfigMap ${name}-sidecar-trust`, resources) as { data: Record<string, string> };
      return serialsOf(data["wallet.yaml"] ?? "");
    };
    assert.deepEqual(listed("prometheus", standing), []);
    const secret = plain(of("Secret payout-router-sidecar-tls").stringData) as Record<string, string>;
    assert.deepEqual(listed("prometheus", revoked), [serialOf(secret["tls.crt"] ?? "")]);
  });

  it("change nothing in the pods of others, but for their files", () => {
    const own =
      /payout-router|ConfigMap|AclPolicy|NetworkPolicy|MeshService|ValidatingAdmissionPolicy|consul-acls-provider/;
    for (const [name, inputs] of standing) {
      if (!own.test(name)) assert.deepEqual(of(name), inputs, name);
    }
  });
});

describe("the resources of a revoked controller", function () {
  this.timeout(60_000);

  it("hold no right any more: not in Consul's catalogue, not in the Kubernetes API", async () => {
    const resources = await declared("mesh-controller");
    const registrars = [...resources.keys()].filter((name) => name.includes("registrar"));
    assert.deepEqual(registrars, []);
    assert.deepEqual(plain(resources.get("Secret mesh-controller-tokens")?.stringData), {});
    const bindings = [...resources].filter(([name]) => name.startsWith("RoleBinding"));
    assert.ok(bindings.length > 5);
    for (const [name, { subjects }] of bindings) assert.deepEqual(subjects, [], name);
  });
});

/** What a secret value is, which a mock is given in an envelope. */
function plain(value: unknown): unknown {
  return typeof value === "object" && value !== null && "value" in value ? value.value : value;
}

function serialsOf(trust: string): string[] {
  const pem = /-----BEGIN X509 CRL-----[^-]+-----END X509 CRL-----/.exec(trust)?.[0] ?? assert.fail("no list");
  const text = execFileSync("openssl", ["crl", "-noout", "-text"], {
    input: `${pem.replaceAll(/^ +/gm, "")}\n`,
    encoding: "utf8",
  });
  return [...text.matchAll(/Serial Number: ([0-9A-F]+)/g)].map(([, serial]) =>
    BigInt(`0x${serial ?? ""}`).toString(16),
  );
}

function serialOf(pem: string): string {
  return BigInt(`0x${new X509Certificate(pem).serialNumber}`).toString(16);
}
