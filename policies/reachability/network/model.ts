import type { Finding } from "../../judgement/finding";
import type { AddressSet } from "../sets/address-set";
import type { Protocol } from "../sets/port-set";
import type { Labels, Selector } from "./selector";

/** Label that the API server itself puts on every namespace; nobody can set it to another namespace's name. */
export const NAMESPACE_NAME = "kubernetes.io/metadata.name";

export interface Namespace {
  readonly name: string;
  /** {@link NAMESPACE_NAME} among them. */
  readonly labels: Labels;
}

/** What makes pods that NetworkPolicies treat alike: one pod template. */
export interface Workload {
  /** `Deployment lucid-wallet/payout-router`. */
  readonly title: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace: Namespace;
  /** The ServiceAccount of its pods: who they are, whatever they are named. */
  readonly account: string;
  /** Labels of its pods. */
  readonly labels: Labels;
  readonly namedPorts: readonly NamedPort[];
}

/** A port of a container that has a name. */
export interface NamedPort {
  readonly name: string;
  readonly protocol: Protocol;
  readonly port: number;
}

/** Whose connections a NetworkPolicy restricts: those that its pods open, or those that are opened to them. */
export type Direction = "egress" | "ingress";
export const DIRECTIONS: readonly Direction[] = ["egress", "ingress"];

export interface Policy {
  /** `NetworkPolicy lucid-wallet/payout-router`. */
  readonly title: string;
  readonly namespace: string;
  /** Which pods of its namespace it is about. */
  readonly selector: Selector;
  /** What it opens in each direction; undefined for a direction that it doesn't restrict. An empty list closes. */
  readonly openings: Readonly<Record<Direction, readonly Opening[] | undefined>>;
}

/** One peer of one rule. The peers of a rule, the rules of a policy and the policies of a pod all add up. */
export interface Opening {
  /** Place of the peer, or of a rule without peers: `spec.ingress[0].from[1]`. */
  readonly path: string;
  readonly peer: Peer;
  /** Undefined for a rule without ports, which opens all. */
  readonly ports: readonly PortMatch[] | undefined;
}

export type Peer =
  /** A rule without peers: every pod and every address. */
  | { readonly kind: "everyone" }
  /** Addresses outside the cluster. */
  | { readonly kind: "addresses"; readonly addresses: AddressSet }
  /** Pods in the namespaces selected, or in the policy's own where no selector says which. */
  | { readonly kind: "pods"; readonly namespaces: Selector | undefined; readonly pods: Selector };

export type PortMatch =
  | { readonly protocol: Protocol; readonly first: number; readonly last: number }
  /** The number that a destination's containers give the name. */
  | { readonly protocol: Protocol; readonly name: string };

/** The objects that decide at the network layer who reaches whom. */
export interface Cluster {
  readonly namespaces: readonly Namespace[];
  readonly workloads: readonly Workload[];
  readonly policies: readonly Policy[];
}

/** A finding and the object it is about. */
export interface ObjectFinding extends Finding {
  /** `NetworkPolicy lucid-wallet/payout-router`. */
  readonly object: string;
}
