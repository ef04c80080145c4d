import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import * as path from "node:path";
import { KubeConfig } from "@kubernetes/client-node";
import * as docker from "@pulumi/docker";
import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { ServiceMesh, loadMesh, parseSettings } from "../../components";
import type { Mesh } from "../../components";
import { LUCID_CEILING } from "../../policies/ceiling";
import type { Ceiling } from "../../policies/ceiling";
import { Field } from "../../policies/judgement/field";
import { plainCopy } from "../../policies/judgement/plain";
import { judgeResource } from "../../policies/judgement/rule";
import type { StackResource } from "../../policies/judgement/rule";
import { resourceRules, stackRules } from "../../policies/rules";
import { mockAuthority } from "../unit/components/mock-authority";
import { jobsMesh } from "../unit/envoy/jobs-fixture";
import { JOBS_CEILING } from "./fixtures/jobs";

const ROOT = path.resolve(__dirname, "../..");
/** Stands for every authority. */
const authority = { key: "", certificate: "" };

/** What the engine would be asked to make, in the order in which it would be. */
const registered: StackResource[] = [];

/** Lucid itself, and a mesh with jobs by a ceiling that names them. */
const DECLARED: readonly { title: string; mesh: () => Mesh; ceiling: Ceiling; kinds: readonly string[] }[] = [
  {
    title: "Lucid",
    mesh: () => loadMesh(readFileSync(path.join(ROOT, "mesh.yaml"), "utf8"), "mesh.yaml", { tracing: true }),
    ceiling: LUCID_CEILING,
    kinds: ["Namespace", "Deployment", "StatefulSet", "DaemonSet", "NetworkPolicy", "ConfigMap"],
  },
  { title: "a mesh with jobs", mesh: jobsMesh, ceiling: JOBS_CEILING, kinds: ["Deployment", "Job", "CronJob"] },
];

/** The rules share no code with what declares a mesh; here they meet. The engine is replaced by a recorder. */
DECLARED.forEach(({ title, mesh, ceiling, kinds }, index) =>
  describe(`what ${title} declares passes the pack`, function () {
    this.timeout(60_000);

    before(async () => {
      registered.length = 0;
      Object.assign(authority, await mockAuthority());
      await pulumi.runtime.setMocks(
        {
          newResource: ({ type, name, inputs }) => {
            const properties = new Field(plainCopy(inputs));
            registered.push({ type, name, urn: name, properties, sources: () => [] });
            return { id: name, state: { ...(inputs as object), ...outputsOf(type) } };
          },
          call: ({ inputs }) => ({ ...(inputs as object), secretId: "6f2f1c58-2f51-4bd2-8ad4-1d2b4d1b2a55" }),
        },
        "lucid-mesh",
        "dev",
        false,
      );
      new ServiceMesh("lucid", {
        mesh: mesh(),
        settings: parseSettings({
          apiServerCidr: "10.77.0.10/32",
          nodeResolverIp: "10.96.64.53",
          consulIp: "10.96.64.54",
          consulForwardPort: String(18560 + index),
        }),
        kubeConfig: new KubeConfig(),
        providers: { kubernetes: new kubernetes.Provider("kubernetes"), docker: new docker.Provider("docker") },
      });
      await settled();
    });

    it("registers its resources", () => {
      for (const kind of kinds) {
        assert.ok(
          registered.some(({ type }) => type.endsWith(`:${kind}`)),
          kind,
        );
      }
    });

    for (const rule of resourceRules) {
      it(rule.name, () => {
        const concerned = registered.filter(({ type }) => rule.concerns(type));
        const findings = concerned.flatMap((resource) =>
          judgeResource(rule, resource, ceiling).map(
            (finding) => `${resource.name}: ${finding.path}: ${finding.problem}`,
          ),
        );
        assert.ok(concerned.length > 0, "the rule concerns nothing that is declared");
        assert.deepEqual(findings, []);
      });
    }

    for (const rule of stackRules) {
      it(rule.name, () => {
        const findings = rule.judge(registered, ceiling);
        assert.deepEqual(
          findings.map(({ resource, problem }) => `${resource.name}: ${problem}`),
          [],
        );
      });
    }
  }),
);

/** Outputs that the components read. */
function outputsOf(type: string): Readonly<Record<string, string>> {
  switch (type) {
    case "tls:index/privateKey:PrivateKey":
      return { privateKeyPemPkcs8: authority.key };
    case "tls:index/selfSignedCert:SelfSignedCert":
    case "tls:index/locallySignedCert:LocallySignedCert":
      return { certPem: authority.certificate };
    case "tls:index/certRequest:CertRequest":
      return { certRequestPem: "-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----\n" };
    case "random:index/randomBytes:RandomBytes":
      return { base64: "pUqJrVyVRj5jsiYEkM/tFQYfWyJIv4s3XkvDwy7Cu5s=" };
    case "random:index/randomUuid:RandomUuid":
      return { result: "0b1d6fd8-9f0c-4b37-9f32-0e9ba3bb51fd" };
    case "consul:index/aclToken:AclToken":
      return { accessorId: "7c1c3a3e-6f0a-4a59-8a5b-2f6f2b4a3c11" };
    default:
      return {};
  }
}

/** Waits until every resource that was begun is registered: an output begets resources only while there are some in the making. */
async function settled(): Promise<void> {
  for (let before = -1; before !== registered.length;) {
    before = registered.length;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
