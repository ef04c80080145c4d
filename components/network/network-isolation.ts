import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Mesh, Zone } from "../../mesh";
import type { NetworkPolicySpec, Permission } from "./network-peers";
import type { NetworkSurroundings } from "./network-policies";
import { DEFAULT_DENY, networkPolicies } from "./network-policies";
import { objectLabels } from "../pods/pod";

export interface NetworkIsolationArgs {
  readonly mesh: Mesh;
  readonly zone: Zone;
  readonly surroundings: NetworkSurroundings;
  /**
   * What takes the default deny away with it, where admission policies that stay let nobody delete that by itself: the namespace. Default: it is deleted by itself.
   */
  readonly deniedUntil?: pulumi.Resource;
}

/** A zone's NetworkPolicies: a default deny in both directions, and for each workload exactly its declared edges. */
export class NetworkIsolation extends pulumi.ComponentResource {
  constructor(name: string, args: NetworkIsolationArgs, opts?: pulumi.ComponentResourceOptions) {
    super("lucid:mesh:NetworkIsolation", name, { zone: args.zone.name }, opts);
    for (const policy of networkPolicies(args.mesh, args.zone, args.surroundings)) {
      new kubernetes.networking.v1.NetworkPolicy(
        `${args.zone.name}-${policy.name}`,
        {
          metadata: {
            name: policy.name,
            namespace: policy.namespace,
            labels: objectLabels(policy.name, args.zone.name),
          },
          spec: wireShape(policy.spec),
        },
        policy.name === DEFAULT_DENY ? { parent: this, deletedWith: args.deniedUntil } : { parent: this },
      );
    }
    this.registerOutputs({});
  }
}

/** Drops empty directions: an absent list under a named policy type closes that direction, and is how Kubernetes stores it. */
function wireShape(spec: NetworkPolicySpec): kubernetes.types.input.networking.v1.NetworkPolicySpec {
  return {
    podSelector: { matchLabels: { ...spec.podSelector.matchLabels } },
    policyTypes: [...spec.policyTypes],
    ...(spec.ingress.length === 0
      ? {}
      : { ingress: spec.ingress.map(({ from, ports }) => ({ from: copy(from), ports: copy(ports) })) }),
    ...(spec.egress.length === 0
      ? {}
      : { egress: spec.egress.map(({ to, ports }) => ({ to: copy(to), ports: copy(ports) })) }),
  };
}

function copy<T extends Permission["peers"][number] | Permission["ports"][number]>(items: readonly T[]): T[] {
  return [...items];
}
