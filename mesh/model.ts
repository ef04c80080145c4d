/**
 * The resolved mesh: what every enforcing layer is computed from. Plain data, no Pulumi, no file system, no clock.
 *
 * A `Mesh` is made by `resolveMesh` (resolve.ts) from a parsed document (document/document.ts). It is complete: every default is filled in, every name
 * that an object in the cluster will bear is fixed, and infrastructure edges (telemetry, operation) stand in it like any declared call.
 */

import type { EdgeTraffic, ServiceTraffic } from "./traffic/model";
import type { Authenticator, EndUsers } from "./authentication/model";
import type { Datacenters } from "./datacenters/model";
import type { JobWorkload } from "./jobs/model";
import type { ExternalWorkload } from "./external/model";

export type * from "./authentication/model";
export type * from "./datacenters/model";
export type * from "./external/model";
export type * from "./jobs/model";

/** The planes of Lucid, which hold its services. */
export const PLANES = ["ops", "chain", "wallet"] as const;
/** Zones that hold what the mesh itself needs. */
export const INFRASTRUCTURE_ZONES = ["mesh", "edge"] as const;
/** Every zone: the unit of isolation, with its own namespace, root CA and trust domain. */
export const ZONES = [...PLANES, ...INFRASTRUCTURE_ZONES] as const;

export type Plane = (typeof PLANES)[number];
export type ZoneName = (typeof ZONES)[number];
/** A zone of this datacenter, or, as `<zone>.<datacenter>`, of another. */
export type PeerZone = ZoneName | `${ZoneName}.${string}`;

/** What a port speaks. It decides the filters in front of it and what can be authorized (method and path, or the connection alone). */
export type Protocol = "http" | "http2" | "grpc" | "websocket" | "tcp";

export interface Mesh {
  /** `lucid.internal`; suffix of every name in the mesh. */
  readonly domain: string;
  readonly zones: readonly Zone[];
  /** Sorted by name; names are unique in the mesh. */
  readonly services: readonly Service[];
  /** All edges, declared and infrastructure, sorted by (from, to, port). */
  readonly edges: readonly Edge[];
  /** Declared calls whose end had come when the mesh was resolved; nothing is rendered for them. */
  readonly ended: readonly Edge[];
  /** Declared calls that would be edges if no end of them was revoked; nothing is rendered for them. */
  readonly closed: readonly Edge[];
  /** Who answers for callers, where somebody does. */
  readonly authenticator?: Authenticator;
  /** This datacenter and the others, where the mesh is in several. */
  readonly datacenters?: Datacenters;
}

export interface Zone {
  readonly name: ZoneName;
  /** `lucid-<zone>`. */
  readonly namespace: string;
  /** `<zone>.lucid.internal`, `<zone>.<datacenter>.lucid.internal` where there are several: SPIFFE trust domain. */
  readonly trustDomain: string;
}

export interface Service {
  /** A DNS label, unique in the mesh. Also the name of its ServiceAccount, workload and registration. */
  readonly name: string;
  readonly zone: ZoneName;
  readonly namespace: string;
  /** `spiffe://<trust domain>/ns/<namespace>/sa/<name>`; the one URI SAN of its certificate. */
  readonly identity: string;
  /** `<name>.lucid.internal`: what applications dial, and the certificate's CN. */
  readonly hostname: string;
  /** `<name>.service.discovery.lucid.internal`, with its datacenter where there are several: what Envoy resolves. */
  readonly discoveryName: string;
  /** The mesh-wide loopback address (127.64.0.0/10) on which a *caller's* sidecar answers for this service. */
  readonly address: string;
  /** In document order; the first is the default port of a call. None on a job, at least one on any other. */
  readonly ports: readonly ServicePort[];
  /** Absent on a job, which nobody asks whether it is ready, and on what is outside the cluster, which its workload says how to ask. */
  readonly health?: HealthCheck;
  /** Where the application tells Prometheus its own metrics; absent where it tells none. */
  readonly metrics?: MetricsEndpoint;
  readonly workload: Workload;
  /** What one pod of it carries at its busiest. */
  readonly load: Load;
  /** What it takes as callee; what one caller may have stands on the edge. */
  readonly traffic: ServiceTraffic;
  /** Shown in the registration's tags and as a pod label. */
  readonly version: string;
  /** Why nobody is to believe it any more; undefined for a service in good standing. Then it has no edge and no pod. */
  readonly revoked?: string;
}

export interface ServicePort {
  /** A DNS label; first label of the SNI that selects this port behind 15001. */
  readonly name: string;
  /** Where the application listens, on 127.0.0.1; of a service outside the cluster, on its own addresses. */
  readonly port: number;
  readonly protocol: Protocol;
  /** The port at which callers' applications dial `<service>.lucid.internal`; 80 for the first port unless declared. */
  readonly dialPort: number;
  /** Whose end users must show themselves here; undefined where requests need no token of theirs. */
  readonly endUsers?: EndUsers;
  /** True where the mesh's authenticator is asked about each request. */
  readonly asksAuthenticator?: boolean;
}

/** Asked by kubelet through the sidecar's port 15021, `GET /health`. */
export interface HealthCheck {
  readonly path: string;
  /** Application port asked, on 127.0.0.1. */
  readonly port: number;
}

/** Asked by Prometheus through the sidecar's inspection listener, `GET /metrics`. */
export interface MetricsEndpoint {
  readonly path: string;
  /** Application port asked, on 127.0.0.1. */
  readonly port: number;
}

/**
 * What runs as the service. `application` is rendered from the document, `versions` are several of them side by side, `job` is one that ends by itself;
 * `component` means that a component of its own renders the pod (Prometheus, Jaeger, controller), `joined` that another stack brings it,
 * `external` that the service is outside the cluster.
 */
export type Workload =
  ApplicationWorkload | VersionedWorkload | JobWorkload | ComponentWorkload | JoinedWorkload | ExternalWorkload;

/** An expectation, not a limit: the sidecar's resources are computed from it. */
export interface Load {
  /** Requests a second, its own calls included. */
  readonly requestsPerSecond: number;
  /** Connections open at once, of callers' pods and of its application. */
  readonly connections: number;
}

/** The container that the document describes. */
export interface Application {
  readonly image: string;
  readonly command?: readonly string[];
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly resources: Resources;
}

export interface ApplicationWorkload extends Application {
  readonly kind: "application";
  readonly replicas: number;
}

/** Several versions of one service: one identity, account and sidecar configuration, a workload each. */
export interface VersionedWorkload {
  readonly kind: "versions";
  /** Pods of all versions together. */
  readonly replicas: number;
  /** At least one, in document order. */
  readonly versions: readonly ServiceVersion[];
}

/** One of a service's versions. */
export interface ServiceVersion extends Application {
  /** A DNS label, unique in the service; value of its pods' label `app.kubernetes.io/version`. */
  readonly name: string;
  readonly replicas: number;
}

export interface ComponentWorkload {
  readonly kind: "component";
  readonly replicas: number;
}

/** Pods that another stack brings. Identity, configuration and isolation are the mesh's own, as of any service. */
export interface JoinedWorkload {
  readonly kind: "joined";
  /** Who answers for them, as people are to read it. */
  readonly owner: string;
  /** How many there are at most. */
  readonly replicas: number;
}

export interface Resources {
  /** Kubernetes quantities: `50m`, `64Mi`. */
  readonly requests: Readonly<{ cpu: string; memory: string }>;
  readonly limits: Readonly<{ memory: string }>;
}

/** One permission: `from` may call `port` of `to`. There is exactly one Edge per (from, to, port). */
export interface Edge {
  readonly from: string;
  readonly to: string;
  /** Name of the callee's port. */
  readonly port: string;
  /**
   * `call`: declared in the document. `telemetry`: spans to the trace collector, computed for every traced service. `authentication`: questions of the
   * sidecar about its callers, computed for every service that asks.
   */
  readonly kind: "call" | "telemetry" | "authentication";
  /** What may be asked; empty means everything on that port. Only HTTP-like ports can have rules. */
  readonly rules: readonly EdgeRule[];
  /** How the calls are shared between the callee's versions; absent where they go to all its instances alike. */
  readonly split?: VersionSplit;
  /** Why the edge exists; always there when it crosses zones. */
  readonly reason?: string;
  readonly crossesZones: boolean;
  /** First instant (UTC, `2026-12-31T18:00:00Z`) from which the callee's sidecar refuses it; absent: it has no end. */
  readonly until?: string;
  /** Times, tries and limits of this call. */
  readonly traffic: EdgeTraffic;
  /** Path of the declaration in the document (`services.admin-ui.calls[0]`), or what computed it. */
  readonly source: string;
}

export interface EdgeRule {
  /** HTTP methods, upper case; empty: any. */
  readonly methods: readonly string[];
  /** Path as matched after normalization; a trailing `*` makes it a prefix. Empty: any. */
  readonly paths: readonly string[];
}

/** Which version of the callee a request goes to. The caller's sidecar decides it: it permits nothing that the edge does not. */
export interface VersionSplit {
  /** Tried in order, before the weights. */
  readonly routes: readonly VersionRoute[];
  /** In percent, making 100, in the order of the callee's versions, one each; empty: the rest goes to all instances alike. */
  readonly weights: readonly VersionWeight[];
}

export interface VersionWeight {
  readonly version: string;
  /** Percent, 0 to 100. */
  readonly weight: number;
}

/** Requests that go to one version. All that is named must match. */
export interface VersionRoute {
  readonly version: string;
  /** Upper case; empty: any. */
  readonly methods: readonly string[];
  /** As in {@link EdgeRule}; empty: any. */
  readonly paths: readonly string[];
  /** Whole values by lower-case name; empty: any. */
  readonly headers: Readonly<Record<string, string>>;
}
