import type { Place } from "../../layer";
import type { AddressSet } from "../../sets/address-set";
import type { PortSet } from "../../sets/port-set";
import type { Direction, Workload } from "../model";

/** A call that may be made. Whatever else is open is a violation, and so is whatever of it is closed. */
export interface DeclaredEdge {
  readonly from: string;
  readonly to: string;
  readonly ports: PortSet;
  /** The one half that is opened, where the other is closed on purpose. */
  readonly only?: Direction;
}

/** A party that is none of the workloads: addresses outside the cluster, or pods of a namespace that isn't among the objects. */
export type Outsider =
  | { readonly name: string; readonly addresses: AddressSet }
  | { readonly name: string; readonly namespace: string; readonly labels: Readonly<Record<string, string>> };

export interface DeclaredOutsider {
  readonly party: string;
  /** Who opens the connection: `egress`, the party; `ingress`, the outsider. */
  readonly direction: Direction;
  readonly outsider: Outsider;
  readonly ports: PortSet;
}

/** What may be. It comes from the document or the ceiling, never from what is judged. */
export interface Declaration {
  /** What is declared may be open and need not: a ceiling. Default: it must be. */
  readonly atMost?: boolean;
  readonly edges: readonly DeclaredEdge[];
  readonly outsiders: readonly DeclaredOutsider[];
  /** The party that a workload is; several workloads may be one (versions of a service). */
  readonly partyOf: (workload: Workload) => string;
}

export type ViolationKind =
  /** A connection is open that isn't declared. */
  | "undeclared"
  /** A declared connection isn't open. */
  | "refused"
  /** One half of an undeclared connection is open: the other policy alone still refuses it. */
  | "half-open"
  /** No policy restricts a workload in a direction. */
  | "unrestricted";

export interface Violation {
  readonly kind: ViolationKind;
  /** What is wrong, with the counterexample: who, whom, where, and by which policies. */
  readonly text: string;
  /** The peers, or the policies, that it comes from. */
  readonly places: readonly Place[];
}
