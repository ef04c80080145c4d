import * as pulumi from "@pulumi/pulumi";
import type { Service, Zone } from "../../mesh";
import { grantRole } from "./role";

const POD_READER = "lucid-pod-reader";
const LEASE_READER = "lucid-node-lease-reader";
/** Where kubelets renew their nodes' leases: how the death of a node is seen within seconds. */
const LEASE_NAMESPACE = "kube-node-lease";
const READING = ["get", "list", "watch"] as const;

export interface PodReadersArgs {
  /** Services whose applications may list and watch pods and node leases. */
  readonly readers: readonly Service[];
  /** Zones whose namespaces may be read. */
  readonly zones: readonly Zone[];
  /** Whether node leases may be read. */
  readonly leases: boolean;
}

/** The right to list and watch pods in the mesh's namespaces and in no other, and node leases: a Role and a RoleBinding in each namespace. */
export class PodReaders extends pulumi.ComponentResource {
  constructor(name: string, args: PodReadersArgs, opts?: pulumi.ComponentResourceOptions) {
    super("lucid:mesh:PodReaders", name, {}, opts);
    for (const zone of args.zones) {
      const rules = [{ apiGroups: [""], resources: ["pods"], verbs: [...READING] }];
      grantRole(`${name}-${zone.name}`, { role: POD_READER, place: zone, rules, subjects: args.readers }, this);
    }
    if (args.leases) {
      const rules = [{ apiGroups: ["coordination.k8s.io"], resources: ["leases"], verbs: [...READING] }];
      grantRole(
        `${name}-leases`,
        { role: LEASE_READER, place: { namespace: LEASE_NAMESPACE }, rules, subjects: args.readers },
        this,
      );
    }
    this.registerOutputs({});
  }
}
