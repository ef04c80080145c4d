import type { Place } from "../layer";
import type { WayOutside } from "./outside";
import type { RequestRule } from "./requests";

/** `<zone>/<service>`: whose certificate, account and sidecar it is. */
export type Party = string;

/** What a connection or a port is for: requests, requests that may become WebSockets, or the bytes of a plain connection. */
export type Carries = "requests" | "websocket" | "bytes";

/** Who besides the caller must agree to a request. */
export type FurtherCondition = "end-users" | "authenticator";

/** A sidecar as its files say what it does. */
export interface Sidecar {
  readonly party: Party;
  readonly zone: string;
  /** Filter chains with mutual TLS, of calls (15001) and of inspection (15090). */
  readonly entries: readonly Entry[];
  /** What anybody may ask who reaches the pod's plain-text port (15021). */
  readonly open: readonly OpenRoute[];
  readonly callees: readonly Callee[];
  /** Where it goes in the place of an application, if the service is outside the cluster. */
  readonly outside: readonly WayOutside[];
  /** What it passes on without ending it, if it is a datacenter's gateway. */
  readonly passages: readonly Passage[];
  /** To whom it passes on what comes from other gateways. */
  readonly arrivals: readonly ArrivalWay[];
  readonly dials: readonly Dial[];
  readonly names: readonly Name[];
  /** Whose tokens it believes of callers in other datacenters: a digest of issuer and keys, by datacenter. */
  readonly tokens: ReadonlyMap<string, TokenKeys>;
  /** Zones whose roots lie beside the files, by name. */
  readonly roots: ReadonlyMap<string, Roots>;
}

/** A filter chain that others may enter. */
export interface Entry {
  readonly place: Place;
  /** 15001 or 15090. */
  readonly listens: number;
  /** SNI that chooses the chain. */
  readonly serverName: string;
  /** First label of the server name: the callee's port, or `inspection`. */
  readonly port: string;
  /** The one zone whose roots the chain trusts. */
  readonly zone: string;
  /** Whom TLS lets in. */
  readonly certificates: readonly Party[];
  readonly alpn: readonly string[];
  readonly carries: Carries;
  /** Whom authorization lets do what. What none of these is about is refused. */
  readonly grants: readonly Grant[];
  /** In order; the first that matches decides. What none matches goes nowhere. */
  readonly routes: readonly EntryRoute[];
  readonly further: ReadonlySet<FurtherCondition>;
}

export interface Grant {
  readonly place: Place;
  readonly party: Party;
  /** One of these must match. */
  readonly rules: readonly RequestRule[];
  /** First instant (UTC, `2026-12-31T18:00:00Z`) from which it allows nothing; undefined: it has no end. */
  readonly until: string | undefined;
}

export interface EntryRoute {
  readonly rule: RequestRule;
  /** Whether it is about CONNECT alone. */
  readonly connect: boolean;
  /** Where it goes: `127.0.0.1:8080` for the application, `127.0.0.1:8080/metrics` where it is asked for one thing alone, `admin` for Envoy's own interface, `outsideText` for a service outside; undefined for nowhere. */
  readonly target: string | undefined;
}

export interface OpenRoute {
  readonly place: Place;
  /** `GET /health`. */
  readonly request: string;
  /** `127.0.0.1:8080/health`, `admin/ready`. */
  readonly target: string;
}

/** A cluster that leaves the pod: one callee's port. */
export interface Callee {
  readonly place: Place;
  readonly cluster: string;
  /** Whose certificate is expected; `<zone>/*` for anybody's of the zone. */
  readonly party: Party;
  /** The zone whose roots are trusted for it. */
  readonly zone: string;
  /** First label of the server name. */
  readonly port: string;
  readonly serverName: string;
  readonly alpn: readonly string[];
  /** Names that are looked up; none where each request says the address. */
  readonly lookedUp: readonly string[];
  /** Who is asked, as `<address>:<port>`; undefined where nothing is looked up. */
  readonly resolver: string | undefined;
  /** At which port of the callee's pods. */
  readonly dialled: number;
  /** Whether the sidecar itself asks it about callers. */
  readonly asked: boolean;
}

/** TLS of calls to another datacenter, as a gateway passes it on. */
export interface Passage {
  readonly place: Place;
  /** Whom it is passed to: the other gateway. */
  readonly party: Party;
  /** The server names of the calls, sorted. */
  readonly serverNames: readonly string[];
}

/** A cluster of a gateway that leads to services here, with what it ends none of. */
export type ArrivalWay = Pick<Callee, "place" | "lookedUp" | "dialled" | "resolver">;

export interface TokenKeys {
  readonly place: Place;
  readonly digest: string;
}

/** A loopback address at which the pod's application reaches a cluster. */
export interface Dial {
  readonly place: Place;
  readonly address: string;
  readonly port: number;
  readonly cluster: string;
  /** The clusters that this one tries, in their order; itself where it stands above none. */
  readonly clusters: readonly string[];
  readonly carries: Carries;
  /** What of that goes on. */
  readonly requests: readonly RequestRule[];
}

/** A name that the sidecar answers. */
export interface Name {
  readonly place: Place;
  readonly name: string;
  /** IPv4; an address in IPv6's form is the same. */
  readonly addresses: readonly string[];
}

export interface Roots {
  readonly place: Place;
  /** The certificates, each as its PEM text; undefined where only their origin is known. */
  readonly certificates: ReadonlySet<string> | undefined;
}
