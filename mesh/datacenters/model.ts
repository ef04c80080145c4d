/** Other datacenters, as far as this one's services call theirs or are called by theirs (docs/datacenters.md). */
import type { Edge, Service } from "../model";

/** What of the document is about more than one datacenter, seen from the one that is deployed. */
export interface Datacenters {
  /** The one that is deployed. */
  readonly own: string;
  /** Where the others reach it. */
  readonly gateway: GatewayPlace;
  /** Those that a call joins with it, in either direction, by name: a link that no call uses joins nobody. */
  readonly peers: readonly PeerDatacenter[];
  /** Services as they are in others: whom services here call there, who calls services here from there, and the peers' gateways. By datacenter and name. */
  readonly services: readonly RemoteService[];
  /** Calls of services here that instances elsewhere answer, or answer too. By (from, to, port). */
  readonly departures: readonly Departure[];
  /** Calls of services elsewhere that instances here answer, or answer too. By (datacenter, from, to, port). */
  readonly arrivals: readonly Arrival[];
  /** Declared calls that would leave or arrive if neither an end of them was revoked nor the gateway. By (from, to, port). */
  readonly closed: readonly Edge[];
}

export interface PeerDatacenter {
  readonly name: string;
  readonly gateway: GatewayPlace;
  /** Whose tokens its services show. */
  readonly tokens: PeerTokens;
  /** Whether services here call services there. */
  readonly isCalled: boolean;
  /** Whether services there call services here. */
  readonly calls: boolean;
  /** Why they are joined: of the link from here, where calls use it, or else of the one from there. */
  readonly reason: string;
}

/** Where a datacenter's gateway is, as the others see it. */
export interface GatewayPlace {
  /** IPv4, in ascending order; at least one. */
  readonly addresses: readonly string[];
  readonly port: number;
  /** CIDRs from which its gateway's own connections come. */
  readonly sources: readonly string[];
}

/** Who issues the service-account tokens of a datacenter's cluster. */
export interface PeerTokens {
  /** As their claim `iss` says it. */
  readonly issuer: string;
  /** The public keys, a JSON Web Key Set as text. */
  readonly keySet: string;
}

/** A service as it is in another datacenter. */
export interface RemoteService extends Service {
  readonly datacenter: string;
}

/** A call that leaves, or may. */
export interface Departure {
  /** It stands among the mesh's edges as well where the callee runs here. */
  readonly edge: Edge;
  /** Who answers, in this order: the next where none of the one before can be reached. The own one is among them where the callee runs here. */
  readonly datacenters: readonly string[];
}

/** A call that comes from another datacenter. */
export interface Arrival {
  readonly datacenter: string;
  readonly edge: Edge;
}
