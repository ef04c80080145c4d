import * as docker from "@pulumi/docker";
import * as kubernetes from "@pulumi/kubernetes";
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { ServiceMesh, parseSettings } from "../../../components";
import { identityOf, resolveMesh, validateDocument, type Mesh } from "../../../mesh";
import { serialAt } from "../../../mesh/issuing";
import { datacenterMesh } from "../envoy/datacenters-fixture";
import { revokedMesh } from "../envoy/revoked";
import { lucid } from "../proof/lucid";
import { joinedDocument } from "./joins";
import { installMocks, recorded, settled } from "./mocks";

type Inputs = Readonly<Record<string, unknown>>;
interface Named {
  readonly metadata: { readonly name: string; readonly namespace: string; readonly labels: object };
}
interface Rule {
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
}

const ROTATING = { autoRotateCerts: "true" };

/** What the program declares, by type and name. */
async function declared(mesh: Mesh, changes: Readonly<Record<string, string>>): Promise<ReadonlyMap<string, Inputs>> {
  await installMocks();
  new ServiceMesh("lucid", {
    mesh,
    settings: parseSettings({
      apiServerCidr: "10.77.0.10/32",
      nodeResolverIp: "10.96.64.53",
      consulIp: "10.96.64.54",
      ...changes,
    }),
    discoveryAddress: "127.0.0.1:18501",
    providers: { kubernetes: new kubernetes.Provider("kubernetes"), docker: new docker.Provider("docker") },
  });
  await settled();
  return new Map(recorded.map(({ type, name, inputs }) => [`${type.split(":").at(-1) ?? ""} ${name}`, inputs]));
}

/** What a secret value is, which a mock is given in an envelope. */
function plain(value: unknown): Readonly<Record<string, string>> {
  const inner = typeof value === "object" && value !== null && "value" in value ? value.value : value;
  return inner as Record<string, string>;
}

describe("the resources of a mesh with issuers", function () {
  this.timeout(180_000);
  let standing: ReadonlyMap<string, Inputs>;
  let rotating: ReadonlyMap<string, Inputs>;
  before(async () => {
    standing = await declared(lucid, {});
    rotating = await declared(lucid, ROTATING);
  });
  const of = (name: string, resources = rotating) => resources.get(name) ?? assert.fail(`no ${name}`);
  const rulesOf = (name: string) => of(name).rules as readonly Rule[];

  it("leave to them the key, request, certificate and Secret of every service but the controller", () => {
    const gone = [...standing.keys()].filter((name) => !rotating.has(name));
    const issued = lucid.services.map(({ name }) => name).filter((name) => name !== "mesh-controller");
    const expected = issued.flatMap((name) => [
      `CertRequest ${name}-sidecar-request`,
      `LocallySignedCert ${name}-sidecar-certificate`,
      `PrivateKey ${name}-sidecar-key`,
      `Secret ${name}-sidecar-tls`,
    ]);
    assert.deepEqual(gone.sort(), expected.sort());
    for (const certified of ["Secret consul-tls", "Secret mesh-controller-sidecar-tls"]) of(certified);
  });

  it("are of each zone that has somebody to be issued, and of no other", () => {
    const added = [...rotating.keys()].filter((name) => !standing.has(name));
    const expected = ["ops", "chain", "wallet"].flatMap((zone) => [
      `ConfigMap ${zone}-issuing-policy`,
      `Deployment issuer-${zone}-deployment`,
      `Issuer issuer-${zone}`,
      `NetworkPolicy mesh-issuer-${zone}`,
      `Role ${zone}-issuing-role`,
      `Role issuer-${zone}-elector-role`,
      `RoleBinding ${zone}-issuing-binding`,
      `RoleBinding issuer-${zone}-elector-binding`,
      `Secret ${zone}-issuing-tls`,
      `ServiceAccount issuer-${zone}-account`,
      `ZoneIssuing ${zone}-issuing`,
    ]);
    assert.deepEqual(added.sort(), expected.sort());
  });

  it("change nothing of a service but what is told of its certificate", () => {
    const others = /ConfigMap|ValidatingAdmissionPolicy/;
    for (const [name, inputs] of standing)
      if (rotating.has(name) && !others.test(name)) assert.deepEqual(of(name), inputs, name);
    for (const { name } of lucid.services) {
      const [before, after] = [standing, rotating].map((resources) =>
        of(`ConfigMap ${name}-sidecar-trust`, resources),
      ) as [Inputs, Inputs];
      assert.deepEqual(after.data, before.data, name);
      const annotations = (after.metadata as { annotations?: object }).annotations;
      assert.equal(annotations === undefined, name !== "mesh-controller", name);
    }
  });

  it("give a zone's issuer its own zone's key and names", () => {
    for (const [zone, services] of [
      ["ops", ["admin-ui", "jaeger", "prometheus"]],
      ["chain", ["lucid-blocks"]],
      ["wallet", ["payout-router", "tron-payment"]],
    ] as const) {
      const secret = of(`Secret ${zone}-issuing-tls`) as Inputs & Named;
      assert.deepEqual([secret.metadata.namespace, secret.metadata.name], [`lucid-${zone}`, "lucid-issuing-tls"]);
      const data = plain(secret.stringData);
      assert.match(data["tls.crt"] ?? "", new RegExp(`^CERTIFICATE-${zone}-ca-issuing\n`));
      assert.match(data["tls.key"] ?? "", new RegExp(`^PRIVATE-${zone}-ca-issuing-key\n`));
      assert.ok("value" in (secret.stringData as object), "it is a secret of the state");
      assert.deepEqual(of(`ConfigMap ${zone}-issuing-policy`).data, {
        services: services.join("\n"),
        validityHours: "24",
        algorithm: "ECDSA",
      });
      const binding = of(`RoleBinding ${zone}-issuing-binding`) as Inputs & Named;
      assert.equal(binding.metadata.namespace, `lucid-${zone}`);
      assert.deepEqual(binding.subjects, [{ kind: "ServiceAccount", name: `issuer-${zone}`, namespace: "lucid-mesh" }]);
      const secrets = rulesOf(`Role ${zone}-issuing-role`).filter(({ resources }) => resources.includes("secrets"));
      assert.deepEqual(
        secrets.map(({ verbs, resourceNames }) => [verbs.join(), resourceNames]),
        [
          ["get", ["lucid-issuing-tls"]],
          ["get,patch", services.map((name) => `${name}-tls`)],
          ["create", undefined],
        ],
      );
    }
  });

  it("give no other account a right to any Secret, and keep keys of authorities out of all else", () => {
    const roles = [...rotating].filter(
      ([name]) => /^(Cluster)?Role /.test(name) && !/^Role \w+-issuing-role$/.test(name),
    );
    assert.ok(roles.length > 10);
    for (const [name, { rules }] of roles)
      assert.ok(!(rules as readonly Rule[]).some(({ resources }) => resources.includes("secrets")), name);
    for (const [name, inputs] of rotating) {
      if (/^(PrivateKey|CertRequest|SelfSignedCert|LocallySignedCert|Secret \w+-issuing-tls)/.test(name)) continue;
      assert.doesNotMatch(JSON.stringify(inputs), /PRIVATE-\w+-ca-/, name);
    }
  });

  it("run an issuer that has its account's token, its zone, and nothing else", () => {
    const { spec } = of("Deployment issuer-wallet-deployment") as {
      spec: { replicas: number; strategy: object; template: { spec: Inputs & { containers: Inputs[] } } };
    };
    assert.deepEqual([spec.replicas, spec.strategy], [1, { type: "Recreate" }]);
    const pod = spec.template.spec;
    assert.equal(pod.serviceAccountName, "issuer-wallet");
    assert.deepEqual([pod.volumes, pod.initContainers, pod.containers.length], [undefined, undefined, 1]);
    const [container = {}] = pod.containers;
    assert.deepEqual(container.env, [{ name: "ISSUER_ZONE", value: "wallet" }]);
    assert.deepEqual(container.command, ["node", "/app/issuer.cjs"]);
  });

  it("let issuers out to the Kubernetes API, and nobody in", () => {
    const { spec } = of("NetworkPolicy mesh-issuer-wallet") as { spec: Inputs };
    assert.deepEqual(spec, {
      podSelector: { matchLabels: { "app.kubernetes.io/name": "issuer-wallet" } },
      policyTypes: ["Ingress", "Egress"],
      egress: [{ to: [{ ipBlock: { cidr: "10.77.0.10/32" } }], ports: [{ protocol: "TCP", port: 6443 }] }],
    });
  });

  it("pass on what is revoked, how long leaves live and by which keys", async () => {
    const changed = await declared(lucid, {
      ...ROTATING,
      leafValidityHours: "8",
      certificateAlgorithm: "RSA",
      revokedCertificates: '[{"zone": "ops", "service": "admin-ui", "serial": "4F:0A", "date": "2026-11-21"}]',
    });
    assert.deepEqual(of("ConfigMap ops-issuing-policy", changed).data, {
      services: "admin-ui\njaeger\nprometheus",
      validityHours: "8",
      algorithm: "RSA",
      revoked: "4f0a",
    });
    assert.equal((of("ConfigMap wallet-issuing-policy", changed).data as Inputs).revoked, undefined);
  });

  it("tell the issuers of a datacenter its name, and those of a mesh in one none", async () => {
    const mesh = datacenterMesh("north");
    const found = await declared(mesh, { ...ROTATING, datacenter: "north", datacenterStacks: "{}" });
    const zones = ["ops", "wallet", "edge"];
    for (const zone of zones)
      assert.equal((of(`ConfigMap ${zone}-issuing-policy`, found).data as Inputs).datacenter, "north", zone);
    assert.match(String((of("ConfigMap edge-issuing-policy", found).data as Inputs).services), /^datacenter-gateway$/m);
    assert.equal((of("ConfigMap ops-issuing-policy").data as Inputs).datacenter, undefined);
  });

  it("list every certificate that a revoked service can have, and give it none any more", async () => {
    const revoked = await declared(revokedMesh("payout-router"), ROTATING);
    assert.equal((of("ConfigMap wallet-issuing-policy", revoked).data as Inputs).services, "tron-payment");
    assert.ok(!revoked.has("Secret payout-router-sidecar-tls"));
    assert.doesNotMatch(JSON.stringify(of("Role wallet-issuing-role", revoked)), /payout-router/);
    const { data } = of("ConfigMap prometheus-sidecar-trust", revoked) as { data: Record<string, string> };
    const pem = /-----BEGIN X509 CRL-----[^-]+-----END X509 CRL-----/.exec(data["wallet.yaml"] ?? "")?.[0] ?? "";
    const text = execFileSync("openssl", ["crl", "-noout", "-text"], {
      input: `${pem.replaceAll(/^ +/gm, "")}\n`,
      encoding: "utf8",
    });
    const serials = [...text.matchAll(/Serial Number: ([0-9A-F]+)/g)].map(([, serial = ""]) => serial.toLowerCase());
    assert.ok(serials.length > 100 && serials.length < 150, String(serials.length));
    // When it was revoked is when its last certificate was made, which nobody has: now.
    const at = Date.now();
    const identity = identityOf("payout-router", "wallet");
    for (const hours of [0, 1, 12, 23.9])
      assert.ok(serials.includes(serialAt(identity, 24, at - hours * 3_600_000)), String(hours));
    assert.ok(!serials.includes(serialAt(identityOf("tron-payment", "wallet"), 24, at)), "and of nobody else");
  });

  it("have none where a zone's services are all revoked, and one where another stack brings the pods", async () => {
    const empty = await declared(revokedMesh("lucid-blocks"), ROTATING);
    assert.ok(![...empty.keys()].some((name) => name.includes("issuer-chain") || name.includes("chain-issuing")));
    const joined = resolveMesh(validateDocument(joinedDocument()), { tracing: true });
    const found = await declared(joined, ROTATING);
    const { name, zone } = joined.services.find(({ workload }) => workload.kind === "joined") ?? assert.fail();
    assert.match(
      String((of(`ConfigMap ${zone}-issuing-policy`, found).data as Inputs).services),
      new RegExp(`^${name}$`, "m"),
    );
  });
});
