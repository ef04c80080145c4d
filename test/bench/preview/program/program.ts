import * as pulumi from "@pulumi/pulumi";
import { readFileSync } from "node:fs";
import { ServiceMesh, clusterProviders, loadMesh, parseSettings } from "../../../../components";
import { proven } from "../../../../proof";

const config = new pulumi.Config();
const file = config.require("document");

const mesh = loadMesh(readFileSync(file, "utf8"), file, { tracing: true });
const settings = parseSettings({
  kubeconfig: config.require("kubeconfig"),
  dockerHost: "unix:///no-such-docker.sock",
  apiServerCidr: "10.77.0.10/32",
  nodeResolverIp: "10.96.64.53",
  consulIp: "10.96.64.54",
});

function declare(): void {
  const providers = clusterProviders(settings);
  new ServiceMesh("lucid", { mesh, settings, discoveryAddress: "127.0.0.1:1", providers });
}

export const program = () => (config.getBoolean("proven") === true ? proven({ mesh, settings }, declare) : declare());
