import { readFileSync } from "node:fs";
import * as path from "node:path";
import * as docker from "@pulumi/docker";
import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { ServiceMesh, loadMesh, parseSettings } from "../../../components";
import type { Mesh } from "../../../components";
import { RecordedStack } from "./recorded-stack";
import type { PlannedResource } from "./recorded-stack";

const ROOT = path.resolve(__dirname, "../../..");

/** Lucid's mesh, as `mesh.yaml` declares it. */
export const lucid = loadMesh(readFileSync(path.join(ROOT, "mesh.yaml"), "utf8"), "mesh.yaml", { tracing: true });

/** Where the API server of these plans is. */
export const API_SERVER = { cidr: "10.77.0.10/32", port: 6443 } as const;

/** The configuration of these plans, but for what is changed. */
const CONFIGURATION = {
  apiServerCidr: API_SERVER.cidr,
  nodeResolverIp: "10.96.64.53",
  consulIp: "10.96.64.54",
};
/** The changes by which etcd is the discovery backend. */
export const ETCD_BACKEND = { discoveryBackend: "etcd", etcdIp: "10.96.64.55" } as const;

type Changes = Readonly<Record<string, string>>;

const plans = new Map<Mesh, Map<string, Promise<readonly PlannedResource[]>>>();

/** What the engine would be asked to make for a mesh, in the order in which it would be. The engine is replaced by a recorder; done once for each mesh. */
export function plannedResources(mesh: Mesh = lucid, changes: Changes = {}): Promise<readonly PlannedResource[]> {
  const own = plans.get(mesh) ?? new Map<string, Promise<readonly PlannedResource[]>>();
  const key = JSON.stringify(changes);
  const plan = own.get(key) ?? record(mesh, changes);
  plans.set(mesh, own.set(key, plan));
  return plan;
}

async function record(mesh: Mesh, changes: Changes): Promise<readonly PlannedResource[]> {
  const stack = new RecordedStack();
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs }) => stack.register(type, name, inputs as object),
      call: ({ inputs }) => ({ ...(inputs as object), secretId: "6f2f1c58-2f51-4bd2-8ad4-1d2b4d1b2a55" }),
    },
    "lucid-mesh",
    "dev",
    false,
  );
  new ServiceMesh("lucid", {
    mesh,
    settings: parseSettings({ ...CONFIGURATION, ...changes }),
    discoveryAddress: "127.0.0.1:18501",
    providers: { kubernetes: new kubernetes.Provider("kubernetes"), docker: new docker.Provider("docker") },
  });
  // Resolves once every resource that was begun is registered.
  await pulumi.runtime.disconnect();
  return stack.resources;
}
