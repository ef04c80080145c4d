import { AddressSet } from "../sets/address-set";
import { PortSet } from "../sets/port-set";
import type { Cluster, Direction, NamedPort, Opening, Policy, Workload } from "./model";
import { EVERY_STRANGER, addressRegions, strangersOf } from "./outside";
import type { StrangerSelection } from "./outside";
import { portsOf } from "./ports";
import { WorkloadIndex, grouped } from "./workload-index";

/** Why a half of a connection is open: which peer of which policy admits it, on which ports. */
export interface Grant {
  readonly policy: Policy;
  readonly opening: Opening;
  readonly ports: PortSet;
}

/** One half of a connection: what the caller's policies let out, or what the callee's let in. */
export interface Half {
  readonly ports: PortSet;
  /** The policies that restrict this direction; where there is none, everything is open. */
  readonly policies: readonly Policy[];
  readonly grants: readonly Grant[];
}

/** What pods of one workload may open to pods of another. Between two pods of one workload the same rules hold; a pod always reaches itself. */
export interface Connection {
  readonly from: Workload;
  readonly to: Workload;
  /** Ports that both halves open. */
  readonly ports: PortSet;
  readonly egress: Half;
  readonly ingress: Half;
}

/** Addresses outside the cluster that a workload may reach, or that may reach it, with the same right. Regions of one half are disjoint. */
export interface AddressReach extends Half {
  readonly addresses: AddressSet;
}

/** Pods of namespaces that aren't among the objects, which a workload may reach, or which may reach it, as far as its own policies say. */
export interface StrangerReach extends Half {
  readonly strangers: StrangerSelection;
}

/**
 * Who may reach whom by the NetworkPolicies of a cluster: computed, not sampled.
 *
 * Outside NetworkPolicies, and so not in here: a pod and itself, a node and its own pods (kubelet), protocols other than TCP, UDP and SCTP.
 */
export class Reachability {
  private readonly knownNamespaces: ReadonlySet<string>;
  private readonly index: WorkloadIndex;
  private readonly policiesIn: ReadonlyMap<string, readonly Policy[]>;
  private readonly restrictions: Readonly<Record<Direction, Map<Workload, Restriction>>> = {
    egress: new Map(),
    ingress: new Map(),
  };

  constructor(private readonly cluster: Cluster) {
    this.knownNamespaces = new Set(cluster.namespaces.map(({ name }) => name));
    this.index = new WorkloadIndex(cluster.workloads, cluster.namespaces);
    this.policiesIn = grouped(cluster.policies, ({ namespace }) => namespace);
  }

  get workloads(): readonly Workload[] {
    return this.cluster.workloads;
  }

  /** The policies that restrict a workload in a direction; where there is none, everything is open. */
  policiesOf(workload: Workload, direction: Direction): readonly Policy[] {
    return this.restrictionOf(workload, direction).policies;
  }

  between(from: Workload, to: Workload): Connection {
    const egress = this.half(from, "egress", to);
    const ingress = this.half(to, "ingress", from);
    return { from, to, ports: egress.ports.intersect(ingress.ports), egress, ingress };
  }

  /** Every pair of which a half is open at least. */
  *connections(): Generator<Connection> {
    for (const from of this.workloads) {
      for (const to of this.workloads) {
        if (this.isOpen(from, "egress", to) || this.isOpen(to, "ingress", from)) yield this.between(from, to);
      }
    }
  }

  /** Addresses outside the cluster that a workload may reach, or that may reach it. */
  addresses(workload: Workload, direction: Direction): readonly AddressReach[] {
    const { policies, sources } = this.restrictionOf(workload, direction);
    if (policies.length === 0) return [{ addresses: AddressSet.all, ports: PortSet.all, policies, grants: [] }];
    // An address has no containers that could give a port a name.
    const namedPorts = direction === "egress" ? [] : workload.namedPorts;
    return addressRegions(sources, ({ opening }) => opening.peer)
      .map(({ addresses, holding }) => ({ addresses, ...halfOf(policies, holding, namedPorts) }))
      .filter(({ ports }) => !ports.isEmpty);
  }

  /** Pods of namespaces that aren't among the objects, as far as the workload's own policies say. Selections may overlap. */
  strangers(workload: Workload, direction: Direction): readonly StrangerReach[] {
    const { policies, sources } = this.restrictionOf(workload, direction);
    if (policies.length === 0) return [{ strangers: EVERY_STRANGER, ports: PortSet.all, policies, grants: [] }];
    const namedPorts = direction === "egress" ? "any" : workload.namedPorts;
    return sources
      .flatMap((source) => {
        const strangers = strangersOf(source.opening.peer, this.knownNamespaces);
        return strangers === undefined ? [] : [{ strangers, ...halfOf(policies, [source], namedPorts) }];
      })
      .filter(({ ports }) => !ports.isEmpty);
  }

  private half(subject: Workload, direction: Direction, other: Workload): Half {
    const { policies, byPeer } = this.restrictionOf(subject, direction);
    if (policies.length === 0) return { ports: PortSet.all, policies, grants: [] };
    const destination = direction === "egress" ? other : subject;
    return halfOf(policies, byPeer.get(other) ?? [], destination.namedPorts);
  }

  private isOpen(subject: Workload, direction: Direction, other: Workload): boolean {
    const { policies, byPeer } = this.restrictionOf(subject, direction);
    return policies.length === 0 || byPeer.has(other);
  }

  private restrictionOf(workload: Workload, direction: Direction): Restriction {
    let restriction = this.restrictions[direction].get(workload);
    if (restriction === undefined) {
      restriction = this.restrict(workload, direction);
      this.restrictions[direction].set(workload, restriction);
    }
    return restriction;
  }

  private restrict(workload: Workload, direction: Direction): Restriction {
    const policies = (this.policiesIn.get(workload.namespace.name) ?? []).filter(
      ({ openings, selector }) => openings[direction] !== undefined && selector.matches(workload.labels),
    );
    const sources = policies.flatMap((policy) =>
      (policy.openings[direction] ?? []).map((opening): Source => ({ policy, opening })),
    );
    const byPeer = new Map<Workload, Source[]>();
    for (const source of sources) {
      for (const peer of this.index.select(source.opening.peer, source.policy.namespace)) {
        const others = byPeer.get(peer);
        if (others === undefined) byPeer.set(peer, [source]);
        else others.push(source);
      }
    }
    return { policies, sources, byPeer };
  }
}

/** An opening and the policy that it stands in. */
interface Source {
  readonly policy: Policy;
  readonly opening: Opening;
}

/** What restricts a workload in one direction. */
interface Restriction {
  readonly policies: readonly Policy[];
  readonly sources: readonly Source[];
  readonly byPeer: ReadonlyMap<Workload, readonly Source[]>;
}

function halfOf(
  policies: readonly Policy[],
  sources: readonly Source[],
  namedPorts: readonly NamedPort[] | "any",
): Half {
  const grants = sources
    .map(({ policy, opening }) => ({ policy, opening, ports: portsOf(opening, namedPorts) }))
    .filter(({ ports }) => !ports.isEmpty);
  return { ports: PortSet.union(grants.map(({ ports }) => ports)), policies, grants };
}
