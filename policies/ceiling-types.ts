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

/** Leave for what one rule finds in one object, until a day. */
export interface CeilingException {
  /** The rule's name. */
  readonly rule: string;
  /** The object as violations name it: `Deployment lucid-ops/admin-ui`. */
  readonly object: string;
  /** What is found, as the violation says it between the place and the mend. */
  readonly finding: string;
  /** Where in the object, as the violation says it; anywhere unless given. */
  readonly path?: string;
  readonly reason: string;
  /** Who answers for it, and mends what it lifts. */
  readonly owner: string;
  /** Last day on which it holds (UTC), `YYYY-MM-DD`. */
  readonly until: string;
}
