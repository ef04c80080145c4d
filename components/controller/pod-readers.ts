import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Service, Zone } from "../../mesh";
import { LABELS, PART_OF } from "../../mesh/wire";

const POD_READER = "lucid-pod-reader";
const LEASE_READER = "lucid-node-lease-reader";
/** Where kubelets renew their nodes' leases: how the death of a node is seen within seconds. */
const LEASE_NAMESPACE = "kube-node-lease";

export interface PodReadersArgs {
  /** Services whose applications may list and watch pods and node leases. */
  readonly readers: readonly Service[];
  /** Zones whose namespaces may be read. */
  readonly zones: readonly Zone[];
}

/** The right to list and watch pods in the mesh's namespaces and in no other, and node leases: a Role and a RoleBinding in each namespace. */
export class PodReaders extends pulumi.ComponentResource {
  constructor(name: string, args: PodReadersArgs, opts?: pulumi.ComponentResourceOptions) {
    super("lucid:mesh:PodReaders", name, {}, opts);
    for (const zone of args.zones) {
      const metadata = {
        name: POD_READER,
        namespace: zone.namespace,
        labels: { [LABELS.partOf]: PART_OF, [LABELS.zone]: zone.name },
      };
      this.grant(`${name}-${zone.name}`, metadata, { apiGroups: [""], resources: ["pods"] }, args.readers);
    }
    const metadata = { name: LEASE_READER, namespace: LEASE_NAMESPACE, labels: { [LABELS.partOf]: PART_OF } };
    this.grant(`${name}-leases`, metadata, { apiGroups: ["coordination.k8s.io"], resources: ["leases"] }, args.readers);
    this.registerOutputs({});
  }

  /** A Role that reads, and the binding that gives it to the readers' ServiceAccounts. */
  private grant(
    name: string,
    metadata: { readonly name: string; readonly namespace: string; readonly labels: Record<string, string> },
    rule: { readonly apiGroups: string[]; readonly resources: string[] },
    readers: readonly Service[],
  ): void {
    const role = new kubernetes.rbac.v1.Role(
      `${name}-role`,
      { metadata, rules: [{ ...rule, verbs: ["get", "list", "watch"] }] },
      { parent: this },
    );
    new kubernetes.rbac.v1.RoleBinding(
      `${name}-binding`,
      {
        metadata,
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: metadata.name },
        subjects: readers.map((reader) => ({ kind: "ServiceAccount", name: reader.name, namespace: reader.namespace })),
      },
      { parent: this, dependsOn: role },
    );
  }
}
