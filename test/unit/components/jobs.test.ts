import * as docker from "@pulumi/docker";
import * as kubernetes from "@pulumi/kubernetes";
import assert from "node:assert/strict";
import { ServiceMesh, parseSettings, resolveMesh, validateDocument } from "../../../components";
import type { Container } from "../../../components";
import { jobsDocument } from "../envoy/jobs-fixture";
import { put } from "../mesh/fixture";
import { installMocks, recorded, settled } from "./mocks";
import type { Recorded } from "./mocks";

interface JobSpec {
  readonly template: {
    readonly metadata: { readonly labels: Readonly<Record<string, string>> };
    readonly spec: {
      readonly restartPolicy: string;
      readonly serviceAccountName: string;
      readonly terminationGracePeriodSeconds: number;
      readonly initContainers: readonly Container[];
      readonly containers: readonly Container[];
    };
  };
}
interface Inputs {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: Readonly<Record<string, unknown>>;
}

/** The mesh of the jobs' document with a change, as it is registered. */
async function deploy(change: (document: ReturnType<typeof jobsDocument>) => void = () => undefined): Promise<void> {
  await installMocks();
  const document = jobsDocument();
  change(document);
  new ServiceMesh("lucid", {
    mesh: resolveMesh(validateDocument(document)),
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

const ofKind = (kind: string): Recorded[] => recorded.filter(({ type }) => type.endsWith(`:${kind}`));

function only(kind: string): Inputs {
  const [found, ...others] = ofKind(kind);
  assert.ok(found !== undefined && others.length === 0, `one ${kind}`);
  return found.inputs as unknown as Inputs;
}

describe("the resources of jobs", function () {
  this.timeout(60_000);

  describe("as declared", () => {
    before(() => deploy());

    it("are those of a service, with a Job or CronJob for its Deployment and no disruption budget", () => {
      const owned = (name: string) =>
        recorded
          .filter((resource) => resource.custom && (resource.name === name || resource.name.startsWith(`${name}-`)))
          .map(({ type, name: resource }) => `${type.split(":").at(-1) ?? ""} ${resource}`)
          .sort();
      const common = (name: string) => [
        `CertRequest ${name}-sidecar-request`,
        `ConfigMap ${name}-sidecar-envoy`,
        `ConfigMap ${name}-sidecar-trust`,
        `LocallySignedCert ${name}-sidecar-certificate`,
        `MeshService ${name}-declaration`,
        `PrivateKey ${name}-sidecar-key`,
        `Secret ${name}-sidecar-tls`,
        `ServiceAccount ${name}-account`,
      ];
      assert.deepEqual(owned("migration"), [...common("migration"), "Job migration-job-df2339dfee"].sort());
      assert.deepEqual(owned("nightly"), [...common("nightly"), "CronJob nightly-cronjob"].sort());
    });

    it("are a Job that runs once, to its limits, under a name of its own", () => {
      const { metadata, spec } = only("Job");
      const { template, ...limits } = spec;
      assert.ok(template !== undefined);
      assert.deepEqual(metadata.name, "migration-df2339dfee");
      assert.deepEqual(metadata.namespace, "lucid-ops");
      assert.deepEqual(limits, {
        completions: 3,
        parallelism: 2,
        backoffLimit: 0,
        activeDeadlineSeconds: 900,
        podReplacementPolicy: "Failed",
        podFailurePolicy: {
          rules: [{ action: "Ignore", onExitCodes: { containerName: "start-gate", operator: "In", values: [1] } }],
        },
      });
    });

    it("stay when they are done: what is gone would be run again", () => {
      assert.ok(!JSON.stringify(only("Job")).includes("ttlSecondsAfterFinished"));
    });

    it("are a CronJob that runs by its schedule, never twice at once", () => {
      const { metadata, spec } = only("CronJob");
      const { jobTemplate, ...times } = spec;
      assert.ok(jobTemplate !== undefined);
      assert.equal(metadata.name, "nightly");
      assert.deepEqual(times, {
        schedule: "30 2 * * 1-5",
        timeZone: "Etc/UTC",
        concurrencyPolicy: "Forbid",
        suspend: false,
      });
    });

    for (const [name, specOf] of [
      ["migration", () => only("Job").spec],
      ["nightly", () => (only("CronJob").spec.jobTemplate as { spec: object }).spec],
    ] as const) {
      it(`${name}'s pods begin behind their sidecar and the gate, and end with their application`, () => {
        const { template } = specOf() as unknown as JobSpec;
        const { spec, metadata } = template;
        assert.deepEqual(
          spec.initContainers.map((each) => [each.name, each.restartPolicy]),
          [
            ["sidecar", "Always"],
            ["start-gate", undefined],
          ],
        );
        assert.equal(spec.restartPolicy, "Never");
        assert.equal(spec.serviceAccountName, name);
        assert.equal(spec.terminationGracePeriodSeconds, 20);
        assert.equal(metadata.labels["lucid.internal/completes"], "true");
        const [application, ...others] = spec.containers;
        assert.deepEqual(others, []);
        for (const key of ["lifecycle", "readinessProbe", "startupProbe"] as const) {
          assert.equal(application?.[key], undefined, key);
        }
      });
    }

    it("may call what they declare, and are called by nobody", () => {
      const policy = ofKind("NetworkPolicy").find(({ name }) => name === "ops-nightly")?.inputs as unknown as Inputs;
      const { ingress, egress } = policy.spec as Record<"ingress" | "egress", { ports: { port: number }[] }[]>;
      assert.deepEqual(
        ingress.map(({ ports }) => ports.map(({ port }) => port)),
        [[15090]],
      );
      const names = [...JSON.stringify(egress).matchAll(/"app.kubernetes.io\/name":"([^"]+)"/g)].map(([, to]) => to);
      assert.deepEqual(names.sort(), ["ledger", "lucid-blocks", "node-resolver"]);
    });

    it("are not registered, so nobody may register them", () => {
      const rules = String(recorded.find(({ name }) => name === "consul-registrar-ops-policy")?.inputs.rules);
      assert.match(rules, /service "ledger"/);
      assert.doesNotMatch(rules, /migration|nightly/);
    });

    it("come after what they call, and after the controller", () => {
      const place = (name: string) => recorded.findIndex((resource) => resource.name === name);
      for (const needed of ["ledger-deployment", "mesh-controller-deployment"]) {
        assert.ok(place(needed) >= 0 && place(needed) < place("migration-job-df2339dfee"), needed);
      }
    });
  });

  it("are another Job where the declaration is another", async () => {
    await deploy((document) => {
      put(document, "services.3.version", "1.0.1");
    });
    assert.notEqual(only("Job").metadata.name, "migration-df2339dfee");
    assert.match(only("Job").metadata.name, /^migration-[0-9a-f]{10}$/);
  });

  it("are the same CronJob", async () => {
    await deploy((document) => {
      put(document, "services.4.version", "1.0.1");
      put(document, "services.4.workload.timeZone", "Europe/Berlin");
    });
    assert.equal(only("CronJob").metadata.name, "nightly");
    assert.equal(only("CronJob").spec.timeZone, "Europe/Berlin");
  });
});
