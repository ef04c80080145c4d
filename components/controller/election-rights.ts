import * as pulumi from "@pulumi/pulumi";
import type { Service } from "../../mesh";
import { grantRole } from "./role";

const ELECTOR = "lucid-leader-elector";

export interface ElectionRightsArgs {
  /** Services whose replicas agree who of them leads, by a Lease of the service's name in its namespace. */
  readonly candidates: readonly Service[];
}

/**
 * The right of a service's replicas to agree by a Lease who leads. Kubernetes can't limit `create` to a name; that it is this one the admission policies see to.
 */
export class ElectionRights extends pulumi.ComponentResource {
  constructor(name: string, args: ElectionRightsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("lucid:mesh:ElectionRights", name, {}, opts);
    for (const service of args.candidates) {
      const apiGroups = ["coordination.k8s.io"];
      const rules = [
        { apiGroups, resources: ["leases"], verbs: ["create"] },
        { apiGroups, resources: ["leases"], resourceNames: [service.name], verbs: ["get", "patch"] },
      ];
      grantRole(
        `${name}-${service.name}`,
        { role: ELECTOR, place: { name: service.zone, namespace: service.namespace }, rules, subjects: [service] },
        this,
      );
    }
    this.registerOutputs({});
  }
}
