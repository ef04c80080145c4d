import * as docker from "@pulumi/docker";
import * as kubernetes from "@pulumi/kubernetes";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { ServiceMesh, parseSettings } from "../../../components";
import type { Container, Mesh } from "../../../components";
import { sidecarAlonePod } from "../../../components/pods/sidecar-alone";
import { externalMesh } from "../envoy/external-fixture";
import { installMocks, recorded, settled } from "./mocks";

interface Deployment {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
  readonly spec: {
    readonly replicas: number;
    readonly template: {
      readonly spec: {
        readonly containers: readonly Container[];
        readonly initContainers: readonly Container[];
        readonly terminationGracePeriodSeconds: number;
      };
    };
  };
}

async function deploy(mesh: Mesh): Promise<void> {
  await installMocks();
  new ServiceMesh("lucid", {
    mesh,
    settings: parseSettings({
      apiServerCidr: "10.77.0.10/32",
      nodeResolverIp: "10.96.64.53",
      consulIp: "10.96.64.54",
    }),
    discoveryAddress: "127.0.0.1:18501",
    providers: { kubernetes: new kubernetes.Provider("kubernetes"), docker: new docker.Provider("docker") },
  });
  await settled();
}

const deploymentOf = (name: string): Deployment =>
  recorded.find((resource) => resource.name === `${name}-deployment`)?.inputs as unknown as Deployment;

describe("the resources of a service outside the cluster", function () {
  this.timeout(60_000);
  before(() => deploy(externalMesh()));

  it("are those of a service with a Deployment", () => {
    const owned = recorded
      .filter((resource) => resource.custom && resource.name.startsWith("ledger-db-"))
      .map(({ type, name }) => `${type.split(":").at(-1) ?? ""} ${name}`)
      .sort();
    assert.deepEqual(owned, [
      "CertRequest ledger-db-sidecar-request",
      "ConfigMap ledger-db-sidecar-envoy",
      "ConfigMap ledger-db-sidecar-trust",
      "Deployment ledger-db-deployment",
      "LocallySignedCert ledger-db-sidecar-certificate",
      "MeshService ledger-db-declaration",
      "PodDisruptionBudget ledger-db-disruption-budget",
      "PrivateKey ledger-db-sidecar-key",
      "Secret ledger-db-sidecar-tls",
      "ServiceAccount ledger-db-account",
    ]);
  });

  it("are not waited for: a service outside that is away doesn't keep the mesh from being changed", () => {
    const { metadata, spec } = deploymentOf("ledger-db");
    assert.equal(metadata.annotations?.["pulumi.com/skipAwait"], "true");
    assert.equal(spec.replicas, 2);
    assert.equal(deploymentOf("ledger").metadata.annotations?.["pulumi.com/skipAwait"], undefined);
  });

  it("start with the sidecar, and are ready while the service is well", () => {
    const [application, ...others] = deploymentOf("ledger-db").spec.template.spec.containers;
    assert.equal(others.length, 0);
    const path = (probe: unknown) => (probe as { readonly httpGet: { readonly path: string } }).httpGet.path;
    assert.deepEqual([path(application?.startupProbe), path(application?.readinessProbe)], ["/ready", "/health"]);
    const [usual] = deploymentOf("ledger").spec.template.spec.containers;
    assert.deepEqual([path(usual?.startupProbe), path(usual?.readinessProbe)], ["/health", "/health"]);
  });

  it("have an application that mounts nothing and listens nowhere", () => {
    const [application] = deploymentOf("ledger-db").spec.template.spec.containers;
    assert.deepEqual(
      [application?.ports, application?.volumeMounts, application?.env],
      [undefined, undefined, undefined],
    );
  });

  it("go on after their callers have forgotten them for as long as a call may take: no application finishes what was begun", () => {
    const { containers, terminationGracePeriodSeconds } = deploymentOf("ledger-db").spec.template.spec;
    assert.deepEqual(containers[0]?.lifecycle, { preStop: { sleep: { seconds: 30 } } });
    assert.equal(terminationGracePeriodSeconds, 35);
  });

  it("have an application that ends at once when it is told to", async () => {
    const [container] = sidecarAlonePod(30).spec.containers;
    const [program = "", ...args] = container.command as string[];
    const running = spawn(program, args, { stdio: "ignore" });
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.equal(running.exitCode, null);
    const began = Date.now();
    running.kill("SIGTERM");
    const [code] = (await once(running, "exit")) as [number | null];
    assert.equal(code, 0);
    assert.ok(Date.now() - began < 2000, `${String(Date.now() - began)} ms`);
  });

  describe("that is revoked", () => {
    before(() => {
      const mesh = externalMesh();
      const services = mesh.services.map((service) =>
        service.name === "ledger-db" && service.workload.kind === "external"
          ? { ...service, revoked: "It was sold", workload: { ...service.workload, replicas: 0 } }
          : service,
      );
      const edges = mesh.edges.filter(({ to }) => to !== "ledger-db");
      return deploy({ ...mesh, services, edges });
    });

    it("have no pods, no account, and no way out", () => {
      assert.equal(deploymentOf("ledger-db").spec.replicas, 0);
      assert.ok(!recorded.some(({ name }) => name === "ledger-db-account"));
      const policy = recorded.find(({ name }) => name === "edge-ledger-db")?.inputs as unknown as {
        readonly spec: { readonly egress?: unknown; readonly policyTypes: readonly string[] };
      };
      assert.deepEqual([policy.spec.egress, policy.spec.policyTypes], [undefined, ["Ingress", "Egress"]]);
    });
  });
});
