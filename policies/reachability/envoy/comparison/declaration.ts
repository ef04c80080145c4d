import type { Place } from "../../layer";
import type { OutsidePort } from "../outside";
import type { Carries, FurtherCondition, Party } from "../model";
import type { RequestRule } from "../requests";

/** A call that may be made. Whatever else is admitted is a violation, and so is whatever of it is refused. */
export interface DeclaredEdge {
  readonly from: Party;
  readonly to: Party;
  /** The callee's port by its name, or `inspection`. */
  readonly port: string;
  /** Where it ends: `127.0.0.1:8080`, `127.0.0.1:8080/metrics` where it is one question of the mesh's own, or `admin` for the sidecar's own interface. */
  readonly target: string;
  readonly carries: Carries;
  /** What may be asked; empty: everything. */
  readonly requests: readonly RequestRule[];
  /** First instant (UTC, `2026-12-31T18:00:00Z`) from which it is refused; undefined: it has no end. */
  readonly until?: string;
  /** How the caller's application says whom it means; undefined where its sidecar alone calls. */
  readonly dialled?: { readonly name: string; readonly port: number };
  /** Who besides the caller must agree. */
  readonly further?: readonly FurtherCondition[];
  /** Whether the caller goes there by the address of each request, as a scraper does, and not by a name. */
  readonly byAddress?: true;
  /** Where the callee is looked for, if not by its own name at 15001: another datacenter's is behind a gateway, and a gateway at its addresses. */
  readonly at?: { readonly names: readonly string[]; readonly port: number; readonly isLiteral?: true };
  /** Who answers, in order, where several do: the callee in one datacenter, then in the next. Default: the callee. */
  readonly order?: readonly Party[];
  /** The one half that is there, where the other is in another datacenter, or is closed on purpose (a revoked callee's). */
  readonly only?: "caller" | "callee";
}

/** What anybody may ask in plain text who reaches the pod. */
export interface DeclaredOpening {
  readonly party: Party;
  /** `GET /health`. */
  readonly request: string;
  /** `127.0.0.1:8080/health`. */
  readonly target: string;
}

/** Where a sidecar goes in the place of an application. */
export interface DeclaredOutside extends OutsidePort {
  readonly party: Party;
}

/** What a gateway passes on without ending it. */
export interface DeclaredPassage {
  readonly party: Party;
  /** The other gateway. */
  readonly to: Party;
  readonly serverNames: readonly string[];
}

/** By whose keys a callee checks tokens of callers in another datacenter. */
export interface DeclaredTokens {
  readonly party: Party;
  readonly datacenter: string;
  /** See `digestOfTokens`. */
  readonly digest: string;
}

/** What may be. It comes from the document or the ceiling, never from what is judged. */
export interface Declaration {
  readonly edges: readonly DeclaredEdge[];
  readonly openings: readonly DeclaredOpening[];
  readonly outside: readonly DeclaredOutside[];
  /** None where there is one datacenter. */
  readonly passages?: readonly DeclaredPassage[];
  /** None where there is one datacenter. */
  readonly tokens?: readonly DeclaredTokens[];
  /** Who answers for names, as `<address>:<port>`. */
  readonly resolver: string;
  /** Discovery names under which a party's pods may be looked up; the first must be. */
  readonly lookedUp: (party: Party) => readonly string[];
  /** What messages call a party; `<zone>/<service>` unless said. */
  readonly nameOf?: (party: Party) => string;
}

export type ViolationKind =
  /** Something is admitted, routed, trusted or answered that isn't declared. */
  | "undeclared"
  /** Something declared is not. */
  | "refused"
  /** One half of an undeclared call is open: the other alone still refuses it. */
  | "half-open";

/** What is not as it may be. */
export interface Difference {
  readonly kind: ViolationKind;
  /** What is wrong, with the counterexample: who, whom, what, and by which part of which file. */
  readonly text: string;
  readonly places: readonly Place[];
}

/** What sidecars decide by, each for itself: whose roots are believed, what callers are let ask, where callees are looked for, what applications are told. */
export type SidecarLayer = "trust" | "authorization" | "ways" | "names";

/** A difference, and the layer that has it. */
export interface Violation extends Difference {
  readonly layer: SidecarLayer;
}
