import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Service, Zone } from "../../mesh";
import { DECLARED_KINDS, type RepairedClass } from "../../mesh/declarations";
import { grantClusterRole, grantRole } from "./role";

const OBSERVER = "lucid-drift-observer";
const READING = ["get", "list", "watch"];
const ADMISSION = "admissionregistration.k8s.io";

type PolicyRule = kubernetes.types.input.rbac.v1.PolicyRule;

export interface DriftRightsArgs {
  /** The services whose applications compare what there is with what was declared: the controller. */
  readonly observers: readonly Service[];
  /** Zones whose objects they compare. */
  readonly zones: readonly Zone[];
  /** Whether they compare what is in no namespace as well. */
  readonly clusterWide: boolean;
  /** What they put right. */
  readonly repairs: readonly RepairedClass[];
  /** Names of the admission policies, and of their bindings. */
  readonly admissionPolicies: readonly string[];
}

/**
 * The right to read the kinds of objects that drift is looked for in, to tell of it by Events, and to put right what is to be put right: a Role and a RoleBinding in each zone's
 * namespace, and a ClusterRole with its binding for admission policies and for who is given rights in the zones.
 *
 * Secrets are not among them: Kubernetes gives no right to their metadata that isn't the right to read them. A NetworkPolicy that the controller writes opens nothing that the
 * document doesn't declare, for the admission policies judge it like anybody's. What is created can't be narrowed to a name.
 */
export class DriftRights extends pulumi.ComponentResource {
  constructor(name: string, args: DriftRightsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("lucid:mesh:DriftRights", name, {}, opts);
    const { observers: subjects, repairs } = args;
    const namespaced = DECLARED_KINDS.filter(({ kind, scope }) => scope === "Namespaced" && kind !== "RoleBinding");
    for (const zone of args.zones) {
      const rules: PolicyRule[] = [
        ...reading(namespaced),
        { apiGroups: [""], resources: ["events"], verbs: ["create"] },
        ...(repairs.includes("isolation")
          ? [
              {
                apiGroups: ["networking.k8s.io"],
                resources: ["networkpolicies"],
                verbs: ["create", "patch", "delete"],
              },
            ]
          : []),
      ];
      grantRole(`${name}-${zone.name}`, { role: OBSERVER, place: zone, rules, subjects }, this);
    }
    if (args.clusterWide) {
      const wide = DECLARED_KINDS.filter((kind) => !namespaced.includes(kind));
      const resources = wide.filter(({ group }) => group === ADMISSION).map(({ plural }) => plural);
      const rules: PolicyRule[] = [
        ...reading(wide),
        ...(repairs.includes("admission")
          ? [
              { apiGroups: [ADMISSION], resources, verbs: ["create"] },
              { apiGroups: [ADMISSION], resources, resourceNames: [...args.admissionPolicies], verbs: ["patch"] },
            ]
          : []),
      ];
      grantClusterRole(`${name}-cluster`, { role: OBSERVER, rules, subjects }, this);
    }
    this.registerOutputs({});
  }
}

function reading(kinds: typeof DECLARED_KINDS): PolicyRule[] {
  const groups = [...new Set(kinds.map(({ group }) => group))];
  return groups.map((group) => ({
    apiGroups: [group],
    resources: kinds.filter((kind) => kind.group === group).map(({ plural }) => plural),
    verbs: [...READING],
  }));
}
