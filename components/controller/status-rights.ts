import * as pulumi from "@pulumi/pulumi";
import type { Service, Zone } from "../../mesh";
import { MESH_SERVICE } from "../../mesh/custom-resource";
import { grantRole } from "./role";

const STATUS_WRITER = "lucid-status-writer";

export interface StatusRightsArgs {
  /** The services whose applications say how the mesh's services are: the controller. */
  readonly writers: readonly Service[];
  /** Zones whose services they tell of. */
  readonly zones: readonly Zone[];
}

/** The right to read the `MeshService` objects of each zone and to write their status, and never what they declare: a Role and a RoleBinding in each namespace. */
export class StatusRights extends pulumi.ComponentResource {
  constructor(name: string, args: StatusRightsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("lucid:mesh:StatusRights", name, {}, opts);
    const { group, plural } = MESH_SERVICE;
    for (const zone of args.zones) {
      const rules = [
        { apiGroups: [group], resources: [plural], verbs: ["get", "list", "watch"] },
        { apiGroups: [group], resources: [`${plural}/status`], verbs: ["patch"] },
      ];
      grantRole(`${name}-${zone.name}`, { role: STATUS_WRITER, place: zone, rules, subjects: args.writers }, this);
    }
    this.registerOutputs({});
  }
}
