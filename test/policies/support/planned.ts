import { readFileSync } from "node:fs";
import * as path from "node:path";
import { KubeConfig } from "@kubernetes/client-node";
import * as docker from "@pulumi/docker";
import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { ServiceMesh, loadMesh, parseSettings } from "../../../components";
import type { Mesh } from "../../../components";
import { Field } from "../../../policies/judgement/field";
import { plainCopy } from "../../../policies/judgement/plain";
import type { Plain } from "../../../policies/judgement/plain";
import type { StackResource } from "../../../policies/judgement/rule";
import { mockAuthority } from "../../unit/components/mock-authority";

/** A resource as the program asks for it. */
export interface PlannedResource extends StackResource {
  readonly inputs: Plain;
}

const ROOT = path.resolve(__dirname, "../../..");

/** Lucid's mesh, as `mesh.yaml` declares it. */
export const lucid = loadMesh(readFileSync(path.join(ROOT, "mesh.yaml"), "utf8"), "mesh.yaml", { tracing: true });

/** Where the API server of these plans is. */
export const API_SERVER = { cidr: "10.77.0.10/32", port: 6443 } as const;

const plans = new Map<Mesh, Promise<readonly PlannedResource[]>>();
/** A local port of its own for each plan: each has a forward to Consul. */
const FIRST_FORWARD_PORT = 18560;

/** What the engine would be asked to make for a mesh, in the order in which it would be. The engine is replaced by a recorder; done once for each mesh. */
export function plannedResources(mesh: Mesh = lucid): Promise<readonly PlannedResource[]> {
  const plan = plans.get(mesh) ?? record(mesh, FIRST_FORWARD_PORT + plans.size);
  plans.set(mesh, plan);
  return plan;
}

async function record(mesh: Mesh, consulForwardPort: number): Promise<readonly PlannedResource[]> {
  const registered: PlannedResource[] = [];
  /** Stands for every authority. */
  const authority = await mockAuthority();
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs }) => {
        const plain = plainCopy(inputs);
        registered.push({ type, name, urn: name, properties: new Field(plain), inputs: plain, sources: () => [] });
        return { id: name, state: { ...(inputs as object), ...outputsOf(type, authority) } };
      },
      call: ({ inputs }) => ({ ...(inputs as object), secretId: "6f2f1c58-2f51-4bd2-8ad4-1d2b4d1b2a55" }),
    },
    "lucid-mesh",
    "dev",
    false,
  );
  new ServiceMesh("lucid", {
    mesh,
    settings: parseSettings({
      apiServerCidr: API_SERVER.cidr,
      nodeResolverIp: "10.96.64.53",
      consulIp: "10.96.64.54",
      consulForwardPort: String(consulForwardPort),
    }),
    kubeConfig: new KubeConfig(),
    providers: { kubernetes: new kubernetes.Provider("kubernetes"), docker: new docker.Provider("docker") },
  });
  await settled(registered);
  return registered;
}

/** Outputs that the components read. */
function outputsOf(
  type: string,
  authority: { readonly key: string; readonly certificate: string },
): Readonly<Record<string, string>> {
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
async function settled(registered: readonly unknown[]): Promise<void> {
  for (let before = -1; before !== registered.length;) {
    before = registered.length;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
