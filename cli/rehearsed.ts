import * as docker from "@pulumi/docker";
import * as kubernetes from "@pulumi/kubernetes";
import { RunError } from "@pulumi/pulumi";
import { ServiceMesh } from "../components/service-mesh";
import type { Settings } from "../components/stack/settings";
import type { Mesh } from "../mesh";
import { rehearse } from "../proof/rehearsal/rehearse";
import type { RehearsedResource } from "../proof/rehearsal/resource";
import { CliError } from "./exit-status";

/**
 * What the mesh's program would register. Nothing is made, and nothing is dialled.
 *
 * @throws CliError where the program can't be run
 */
export async function rehearsedAs(declared: {
  readonly mesh: Mesh;
  readonly settings: Settings;
}): Promise<readonly RehearsedResource[]> {
  const program = () => {
    const providers = { kubernetes: new kubernetes.Provider("kubernetes"), docker: new docker.Provider("docker") };
    new ServiceMesh("lucid", { ...declared, providers });
  };
  try {
    return await rehearse(program, { project: "lucid-mesh", stack: "reachability" });
  } catch (error) {
    if (error instanceof RunError) throw new CliError(error.message);
    throw error;
  }
}
