import * as kubernetes from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { Service } from "../../mesh";

export interface RoleArgs {
  /** Of the Role and of its binding alike. */
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels: Record<string, string>;
  };
  readonly rules: kubernetes.types.input.rbac.v1.PolicyRule[];
  /** The services whose applications are given the role. */
  readonly subjects: readonly Service[];
}

/** A Role in one namespace, and the binding that gives it to services' ServiceAccounts. */
export function grantRole(name: string, { metadata, rules, subjects }: RoleArgs, parent: pulumi.Resource): void {
  const role = new kubernetes.rbac.v1.Role(`${name}-role`, { metadata, rules }, { parent });
  new kubernetes.rbac.v1.RoleBinding(
    `${name}-binding`,
    {
      metadata,
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: metadata.name },
      subjects: subjects.map((service) => ({
        kind: "ServiceAccount",
        name: service.name,
        namespace: service.namespace,
      })),
    },
    { parent, dependsOn: role },
  );
}
