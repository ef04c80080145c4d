import type { DeclaredEdge } from "../../../policies/reachability/network";
import type { Entitlement } from "../../../policies/reachability/registration";
import type { Edge } from "../../timeline/model";

/** What of a zone is registered, and by whom. */
export interface Registrar {
  readonly zone: string;
  /** `Mesh/mesh-controller`. */
  readonly party: string;
  /** Whether the document has who registers. */
  readonly isThere: boolean;
  readonly services: ReadonlySet<string>;
}

/** What a discovery backend needs of the network, who has which rights at it, and who speaks mutual TLS to whom in it. Parties are named as the proof names them. */
export interface DeclaredDiscovery {
  /** @param registrars who registers instances: the controllers that are believed */
  edges(registrars: readonly string[]): readonly DeclaredEdge[];
  /** Who asks the cluster's DNS. */
  readonly dnsClients: readonly string[];
  /** @param registrars one for each zone that has services; none where nobody who would register is believed */
  entitlements(registrars: readonly Registrar[]): readonly Entitlement[];
  /** @param registrar none where there is none that is believed */
  tlsEdges(registrar: string | undefined): readonly Edge[];
}

/** No right, to which others are added. */
export const NO_RIGHTS: Omit<Entitlement, "holders" | "title" | "word"> = {
  registers: new Set(),
  nodePrefixes: [],
  readsAll: false,
  writesAcls: false,
  readsAcls: false,
  isRoot: false,
  isRequired: true,
};
