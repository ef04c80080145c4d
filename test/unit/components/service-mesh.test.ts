import * as docker from "@pulumi/docker";
import * as kubernetes from "@pulumi/kubernetes";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import * as path from "node:path";
import { ServiceMesh, loadMesh, parseSettings } from "../../../components";
import { checkoutDir } from "../../../dev/paths";
import { installMocks, recorded, settled } from "./mocks";
import type { Recorded } from "./mocks";

/** Most resources that one service may cost: an engine step and a checkpoint each. */
const RESOURCES_PER_SERVICE = 13;

describe("the program's resources", function () {
  this.timeout(60_000);

  before(async () => {
    await installMocks();
    new ServiceMesh("lucid", {
      mesh: loadMesh(readFileSync(path.join(checkoutDir, "mesh.yaml"), "utf8"), "mesh.yaml", { tracing: true }),
      settings: parseSettings({
        apiServerCidr: "10.77.0.10/32",
        nodeResolverIp: "10.96.64.53",
        consulIp: "10.96.64.54",
        snapshotIntervalMinutes: "15",
        snapshotsKept: "96",
      }),
      discoveryAddress: "127.0.0.1:18501",
      providers: { kubernetes: new kubernetes.Provider("kubernetes"), docker: new docker.Provider("docker") },
    });
    await settled();
  });

  const named = (name: string): Recorded => {
    const found = recorded.find((resource) => resource.name === name);
    assert.ok(found, `no resource ${name}`);
    return found;
  };
  const ofType = (type: string) => recorded.filter((resource) => resource.type === type);

  it("are about a dozen for a service, each named", () => {
    const own = recorded.filter(({ name }) => name === "lucid-blocks" || name.startsWith("lucid-blocks-"));
    const policy = recorded.filter(({ name }) => name === "chain-lucid-blocks");
    const names = [...own, ...policy].map(({ type, name }) => `${type.split(":").at(-1) ?? ""} ${name}`);
    assert.deepEqual(names.sort(), [
      "CertRequest lucid-blocks-sidecar-request",
      "ConfigMap lucid-blocks-sidecar-envoy",
      "ConfigMap lucid-blocks-sidecar-trust",
      "Deployment lucid-blocks-deployment",
      "LocallySignedCert lucid-blocks-sidecar-certificate",
      "MeshService lucid-blocks",
      "MeshService lucid-blocks-declaration",
      "NetworkPolicy chain-lucid-blocks",
      "PodDisruptionBudget lucid-blocks-disruption-budget",
      "PrivateKey lucid-blocks-sidecar-key",
      "Secret lucid-blocks-sidecar-tls",
      "ServiceAccount lucid-blocks-account",
      "Sidecar lucid-blocks-sidecar",
    ]);
    assert.ok(names.length <= RESOURCES_PER_SERVICE);
  });

  const controllerSetting = (setting: string): string | undefined => {
    const { spec } = named("mesh-controller-deployment").inputs as {
      spec: { template: { spec: { containers: { name: string; env?: { name: string; value: string }[] }[] } } };
    };
    const controller = spec.template.spec.containers.find(({ name }) => name === "controller");
    return controller?.env?.find(({ name }) => name === setting)?.value;
  };

  it("tell the controller where Prometheus is, by the call that the document declares", () => {
    assert.equal(controllerSetting("PROMETHEUS_URL"), "http://prometheus.lucid.internal");
  });

  it("tell the controller by which forward proxy it inspects the sidecars of each zone", () => {
    assert.equal(
      controllerSetting("INSPECTION_PROXIES"),
      "ops=http://127.0.0.1:15300,chain=http://127.0.0.1:15301,wallet=http://127.0.0.1:15302,mesh=http://127.0.0.1:15303",
    );
  });

  it("declare each service to the cluster, by one definition that is there before", () => {
    const declared = ofType("kubernetes:mesh.lucid.internal/v1alpha1:MeshService");
    const names = [
      "admin-ui",
      "jaeger",
      "lucid-blocks",
      "mesh-controller",
      "payout-router",
      "prometheus",
      "tron-payment",
    ];
    assert.deepEqual(
      declared.map(({ name }) => name).sort(),
      names.map((name) => `${name}-declaration`),
    );
    const [definition, ...others] = ofType("kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition");
    assert.deepEqual(others, []);
    assert.ok(
      definition !== undefined &&
        recorded.indexOf(definition) < Math.min(...declared.map((one) => recorded.indexOf(one))),
    );
    assert.deepEqual(named("payout-router-declaration").inputs.spec, {
      zone: "wallet",
      identity: "spiffe://wallet.lucid.internal/ns/lucid-wallet/sa/payout-router",
      hostname: "payout-router.lucid.internal",
      version: "1.0.0",
      workload: { kind: "application", replicas: 1 },
      ports: [
        { name: "http", port: 8080, protocol: "http" },
        { name: "grpc", port: 8079, protocol: "grpc" },
      ],
      calls: [
        {
          service: "jaeger",
          zone: "ops",
          port: "otlp",
          kind: "telemetry",
          reason: "Spans of its calls go to the trace collector",
        },
        {
          service: "lucid-blocks",
          zone: "chain",
          port: "grpc",
          kind: "call",
          reason: "Every payout batch is anchored on the chain",
        },
        {
          service: "lucid-blocks",
          zone: "chain",
          port: "http",
          kind: "call",
          reason: "Every payout batch is anchored on the chain",
        },
        { service: "tron-payment", zone: "wallet", port: "grpc", kind: "call" },
        { service: "tron-payment", zone: "wallet", port: "http", kind: "call" },
      ],
    });
  });

  it("use every wanted provider", () => {
    const packages = new Set(recorded.filter(({ custom }) => custom).map(({ type }) => type.split(":")[0]));
    for (const name of ["kubernetes", "tls", "random", "consul", "docker"]) assert.ok(packages.has(name), name);
  });

  it("give every zone a root of its own, and sign a leaf by its zone's issuing authority alone", () => {
    assert.equal(ofType("tls:index/selfSignedCert:SelfSignedCert").length, 5);
    const leaf = named("payout-router-sidecar-certificate").inputs;
    assert.match(String(leaf.caCertPem), /^CERTIFICATE-wallet-ca-issuing\n/);
    const request = named("payout-router-sidecar-request").inputs;
    assert.deepEqual(request.uris, ["spiffe://wallet.lucid.internal/ns/lucid-wallet/sa/payout-router"]);
  });

  it("give a sidecar the roots of its peers' zones alone", () => {
    const trust = named("tron-payment-sidecar-trust").inputs as {
      data: Record<string, string>;
      metadata: { annotations: Record<string, string> };
    };
    assert.deepEqual(Object.keys(trust.data).sort(), ["mesh.yaml", "ops.yaml", "wallet.yaml"]);
    // By this the controller, which may not see Secrets, learns of another certificate; two services have two.
    const other = named("payout-router-sidecar-trust").inputs as typeof trust;
    const [digest, otherDigest] = [trust, other].map(
      ({ metadata }) => metadata.annotations["lucid.internal/certificate-digest"],
    );
    assert.match(digest ?? "", /^[0-9a-f]{16}$/);
    assert.notEqual(digest, otherDigest);
    assert.equal(trust.metadata.annotations["lucid.internal/certificate-not-after"], "2027-02-19T20:31:04Z");
    assert.match(trust.data["wallet.yaml"] ?? "", /CERTIFICATE-wallet-ca-root/);
    assert.doesNotMatch(trust.data["wallet.yaml"] ?? "", /CERTIFICATE-(ops|chain|mesh|edge)-ca-root/);
  });

  it("put private keys into Secrets and nowhere else in the cluster", () => {
    for (const { type, name, inputs } of recorded.filter((resource) => resource.type.startsWith("kubernetes:"))) {
      if (type === "kubernetes:core/v1:Secret") continue;
      assert.doesNotMatch(JSON.stringify(inputs), /PRIVATE-|UUID-|BYTES-|SECRET-/, name);
    }
  });

  it("keep Consul's management token out of every workload but Consul", () => {
    for (const { name, inputs } of ofType("kubernetes:core/v1:Secret")) {
      assert.equal(JSON.stringify(inputs).includes("UUID-consul-management-token"), name === "consul-config", name);
    }
  });

  it("have Consul's ACL objects die with Consul, by policies that name each zone's own services", () => {
    const { rules } = named("consul-registrar-wallet-policy").inputs;
    assert.match(String(rules), /service "tron-payment"/);
    assert.doesNotMatch(String(rules), /admin-ui|lucid-blocks|prefix "" /);
  });

  it("declare Consul's policies and tokens to the controller, in plain text, and give it one token that reads ACLs", () => {
    const { data } = named("declared-mesh-0").inputs as { data: Readonly<Record<string, string>> };
    const declared = Object.entries(data).filter(([key]) => key.startsWith("Acl"));
    const made = recorded.filter(({ type }) => type.startsWith("consul:index/acl"));
    assert.equal(declared.length, made.length);
    assert.deepEqual(JSON.parse(data["AclToken.lucid-registrar-wallet"] ?? ""), {
      kind: "AclToken",
      name: "lucid-registrar-wallet",
      labels: {},
      fields: { policies: ["lucid-registrar-wallet"] },
    });
    const { rules } = named("consul-registrar-wallet-policy").inputs;
    assert.deepEqual(JSON.parse(data["AclPolicy.lucid-registrar-wallet"] ?? ""), {
      kind: "AclPolicy",
      name: "lucid-registrar-wallet",
      labels: {},
      fields: { rules },
    });
    assert.equal(named("consul-acl-reader-policy").inputs.rules, 'acl = "read"\n');
    for (const { name, inputs } of ofType("kubernetes:core/v1:Secret"))
      assert.equal(
        JSON.stringify(inputs).includes("SECRET-ACCESSOR-consul-acl-reader-token"),
        name === "mesh-controller-tokens",
        name,
      );
  });

  it("take snapshots beside each Consul server, by a token that lies with the servers alone, on volumes of their own", () => {
    assert.equal(named("consul-snapshots-policy").inputs.rules, 'acl = "write"\n');
    for (const { name, inputs } of ofType("kubernetes:core/v1:Secret"))
      assert.equal(
        JSON.stringify(inputs).includes("SECRET-ACCESSOR-consul-snapshots-token"),
        name === "consul-snapshots",
        name,
      );
    const { spec } = named("consul-servers").inputs as {
      spec: {
        template: {
          spec: {
            containers: { name: string; env?: { name: string; value?: string }[]; volumeMounts: { name: string }[] }[];
          };
        };
        volumeClaimTemplates: { metadata: { name: string } }[];
      };
    };
    assert.deepEqual(
      spec.volumeClaimTemplates.map(({ metadata }) => metadata.name),
      ["data", "snapshots"],
    );
    const mounts = new Map(
      spec.template.spec.containers.map(({ name, volumeMounts }) => [name, volumeMounts.map((mount) => mount.name)]),
    );
    assert.deepEqual(mounts.get("consul"), ["config", "tls", "data"]);
    assert.deepEqual(mounts.get("snapshots"), ["snapshots", "snapshot-trust", "snapshot-token"]);
    const env = spec.template.spec.containers.find(({ name }) => name === "snapshots")?.env ?? [];
    assert.equal(env.find(({ name }) => name === "SNAPSHOT_INTERVAL")?.value, "900");
    assert.equal(env.find(({ name }) => name === "SNAPSHOTS_KEPT")?.value, "96");
  });

  it("name each resource once", () => {
    const keys = recorded.map(({ type, name }) => `${type} ${name}`);
    assert.equal(new Set(keys).size, keys.length);
  });
});
