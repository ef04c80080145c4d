/** Meshes as programs declare them, rehearsed. */
import * as docker from "@pulumi/docker";
import * as kubernetes from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { readFileSync } from "node:fs";
import * as path from "node:path";
import { ServiceMesh, loadMesh, parseSettings } from "../../../components";
import type { Mesh, Settings } from "../../../components";
import { checkoutDir } from "../../../dev/paths";
import { rehearse } from "../../../proof";

/** Lucid's mesh, as `mesh.yaml` declares it. */
export const lucid = loadMesh(readFileSync(path.join(checkoutDir, "mesh.yaml"), "utf8"), "mesh.yaml", {
  tracing: true,
});

export const settings = parseSettings({
  apiServerCidr: "10.77.0.10/32",
  nodeResolverIp: "10.96.64.53",
  consulIp: "10.96.64.54",
});

/** The same with etcd as the discovery backend. */
export const etcdSettings = parseSettings({
  apiServerCidr: "10.77.0.10/32",
  nodeResolverIp: "10.96.64.53",
  discoveryBackend: "etcd",
  etcdIp: "10.96.64.55",
});

/** The same, with certificates that issuers make. */
export const withIssuers = parseSettings({
  apiServerCidr: "10.77.0.10/32",
  nodeResolverIp: "10.96.64.53",
  consulIp: "10.96.64.54",
  autoRotateCerts: "true",
});

/** What the program of a mesh would register. */
export function rehearsed(mesh: Mesh, opts: pulumi.ComponentResourceOptions = {}, under: Settings = settings) {
  return rehearse(
    () => {
      const providers = {
        kubernetes: new kubernetes.Provider("kubernetes"),
        docker: new docker.Provider("docker"),
      };
      new ServiceMesh("lucid", { mesh, settings: under, discoveryAddress: "127.0.0.1:18501", providers }, opts);
    },
    { project: "lucid-mesh", stack: "dev" },
  );
}
