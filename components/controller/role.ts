import * as kubernetes from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { Service, Zone } from "../../mesh";
import { LABELS, PART_OF } from "../../mesh/wire";

/** Where a role holds: in a zone, or in a namespace that is none's. */
export type RolePlace = Pick<Zone, "name" | "namespace"> | { readonly name?: undefined; readonly namespace: string };

export interface RoleArgs {
  /** Of the Role and of its binding alike. */
  readonly role: string;
  readonly place: RolePlace;
  readonly rules: kubernetes.types.input.rbac.v1.PolicyRule[];
  /** Whose applications are given the role. */
  readonly subjects: readonly Pick<Service, "name" | "namespace">[];
}

/**
 * A Role in one namespace, and the binding that gives it to services' ServiceAccounts.
 *
 * @param after what must be there before, where the parent does not wait for it
 * @returns the binding
 */
export function grantRole(
  name: string,
  { role, place, rules, subjects }: RoleArgs,
  parent: pulumi.Resource,
  after: pulumi.Resource[] = [],
): pulumi.Resource {
  const metadata = { name: role, namespace: place.namespace, labels: labelsOf(place.name) };
  const granted = new kubernetes.rbac.v1.Role(`${name}-role`, { metadata, rules }, { parent, dependsOn: after });
  return new kubernetes.rbac.v1.RoleBinding(
    `${name}-binding`,
    { metadata, roleRef: roleRef("Role", role), subjects: accountsOf(subjects) },
    { parent, dependsOn: granted },
  );
}

/** A ClusterRole, and the binding that gives it to services' ServiceAccounts: for what no namespace holds. */
export function grantClusterRole(
  name: string,
  { role, rules, subjects }: Omit<RoleArgs, "place">,
  parent: pulumi.Resource,
): void {
  const metadata = { name: role, labels: labelsOf(undefined) };
  const granted = new kubernetes.rbac.v1.ClusterRole(`${name}-role`, { metadata, rules }, { parent });
  new kubernetes.rbac.v1.ClusterRoleBinding(
    `${name}-binding`,
    { metadata, roleRef: roleRef("ClusterRole", role), subjects: accountsOf(subjects) },
    { parent, dependsOn: granted },
  );
}

function labelsOf(zone: string | undefined): Record<string, string> {
  return { [LABELS.partOf]: PART_OF, ...(zone === undefined ? {} : { [LABELS.zone]: zone }) };
}

function roleRef(kind: string, name: string) {
  return { apiGroup: "rbac.authorization.k8s.io", kind, name };
}

function accountsOf(services: RoleArgs["subjects"]) {
  return services.map(({ name, namespace }) => ({ kind: "ServiceAccount", name, namespace }));
}
