import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { meshServiceDefinition } from "../mesh/custom-resource";

export interface MeshServiceDefinitionArgs {
  /** What must be in force before anybody can make a `MeshService`: the admission policies that judge them. */
  readonly waitFor?: pulumi.Input<pulumi.Resource[]>;
  /** The datacenter, where there are several: identities bear it. */
  readonly datacenter?: string | undefined;
}

/**
 * The CustomResourceDefinition of `MeshService`. One for a cluster: the mesh's own stack brings it, and a stack that joins with a service brings none, for the
 * object of its service is the mesh's to make.
 *
 * Each `MeshService` depends on it, so that `pulumi destroy` takes it away after the last of them.
 */
export class MeshServiceDefinition extends pulumi.ComponentResource {
  constructor(name: string, args: MeshServiceDefinitionArgs = {}, opts?: pulumi.ComponentResourceOptions) {
    super("lucid:mesh:MeshServiceDefinition", name, {}, opts);
    new kubernetes.apiextensions.v1.CustomResourceDefinition(name, meshServiceDefinition(args.datacenter), {
      parent: this,
      dependsOn: args.waitFor ?? [],
    });
    this.registerOutputs({});
  }
}
