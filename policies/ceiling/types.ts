/** Things allowed by name, each with the reason why. */
export type Reasoned = Readonly<Record<string, string>>;

/**
 * One permission of the ceiling. A party is `<zone>/<service>`, `*` for every member with a sidecar, or the name of an external.
 */
export interface CeilingEdge {
  readonly from: string;
  readonly to: string;
  /** `<number>/<TCP|UDP|SCTP>`, as the callee's pod listens. */
  readonly ports: readonly string[];
  /** Which half may be opened: the callee's ingress, the caller's egress; both unless said. */
  readonly sides?: readonly Side[];
  readonly reason: string;
}

/** The half of an edge that a NetworkPolicy opens. */
export type Side = "ingress" | "egress";

/** A party outside the mesh: pods of another namespace by their labels, or addresses. */
export type External = ExternalPods | ExternalAddresses;

export interface ExternalPods {
  readonly namespace: string;
  /** Labels that a peer must select by (all of them). */
  readonly labels: Readonly<Record<string, string>>;
}

export interface ExternalAddresses {
  /** A peer's CIDR must lie within one of these. */
  readonly cidrs: readonly string[];
  /** A peer's CIDR must not touch these: the pods' own range, which is opened by selectors alone. */
  readonly except: readonly string[];
  /** Shortest prefix a peer may have (24: at most 256 addresses). */
  readonly widestPrefix: number;
}

/** Where a member leads that stands for a service outside the cluster. */
export interface CeilingOutside {
  /** IPv4 addresses, one by one. */
  readonly addresses: readonly string[];
  /** `<number>/TCP`. */
  readonly ports: readonly string[];
  /** DNS names that its certificate may have to bear, and that it may be asked for. */
  readonly names: readonly string[];
  readonly reason: string;
  /** What it would be refused for otherwise. */
  readonly leave: Readonly<Partial<Record<OutsideLeave, CeilingLeave>>>;
}

/** Without TLS; at addresses of the open internet, past Tor; called from Wallet, which is an isolated network. */
export const OUTSIDE_LEAVES = ["plaintext", "clearnet", "wallet"] as const;
export type OutsideLeave = (typeof OUTSIDE_LEAVES)[number];

/** The datacenter that is judged, where a mesh has several. */
export interface CeilingDatacenter {
  /** Identities, authorities and discovery names here bear it. */
  readonly name: string;
  /** The member that passes calls on to other datacenters, and takes theirs: `<zone>/<service>`. */
  readonly gateway: string;
  /** The one port that it may have on the nodes, for the others' gateways: `<number>/TCP`. None unless said. */
  readonly nodePort?: string | undefined;
}

/** What may pass between this datacenter and another, in either direction. */
export interface CeilingLink {
  /** Members there whom those here may call that may call them anyway, as `<zone>/<service>`. */
  readonly calls: readonly string[];
  /** Where its gateway is, if services there are called: IPv4 addresses, one by one. */
  readonly addresses: readonly string[];
  /** `<number>/TCP`. */
  readonly ports: readonly string[];
  /** Members here whom those there may call that may call them anyway. */
  readonly exports: readonly string[];
  /** Blocks of addresses from which its gateway comes, if services here are called. */
  readonly sources: readonly string[];
  /** Digests of who issues the tokens of its services, and of the public keys by which they are checked. */
  readonly tokens: readonly string[];
  readonly reason: string;
  /** What it would be refused for otherwise. */
  readonly leave: Readonly<Partial<Record<LinkLeave, CeilingLeave>>>;
}

/** Over addresses of the open internet, past Tor. */
export const LINK_LEAVES = ["clearnet"] as const;
export type LinkLeave = (typeof LINK_LEAVES)[number];

/** Something let be until a day. */
export interface CeilingLeave {
  readonly reason: string;
  /** Who answers for it. */
  readonly owner: string;
  /** Last day on which it holds (UTC), `YYYY-MM-DD`. */
  readonly until: string;
}

/** Leave for what one rule finds in one object, until a day. */
export interface CeilingException extends CeilingLeave {
  /** The rule's name. */
  readonly rule: string;
  /** The object as violations name it: `Deployment lucid-ops/admin-ui`. */
  readonly object: string;
  /** What is found, as the violation says it between the place and the mend. */
  readonly finding: string;
  /** Where in the object, as the violation says it; anywhere unless given. */
  readonly path?: string;
}
