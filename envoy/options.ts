import type { PeerZone } from "../mesh/model";

/** Something that peers of a zone could once prove themselves by, and that nobody is to believe any more. */
export interface Withdrawal {
  readonly zone: PeerZone;
  /** The service that it concerns; every one of the zone where it is not given. */
  readonly service?: string;
  /** What was withdrawn: a serial number, a generation. */
  readonly what: string;
}

/** What a rendering depends on beside the mesh itself. */
export interface EnvoyOptions {
  /** ClusterIP of the node resolver, the only DNS server a sidecar asks. */
  readonly resolverAddress: string;
  /** Whether sidecars that have a telemetry edge send spans. */
  readonly tracing: boolean;
  /** Loopback port of the read-only part of the admin interface (`ENVOY_ADMIN_PORT`). */
  readonly adminPort: number;
  /** Calls are always mutual TLS; a form without it does not exist here. */
  readonly mtls: true;
  /** What was withdrawn from peers: where something was, connections are cut off and made anew. Default: nothing. */
  readonly withdrawals?: readonly Withdrawal[];
  /** Share of the requests without a sampled parent that are traced, from 0 to 1. Default 1. */
  readonly traceSampling?: number;
  /** Whether the caller's sidecar retries what certainly never reached the callee. Default true; off to count failures truly. */
  readonly retries?: boolean;
  /** Worker threads of Envoy. Default 1. */
  readonly concurrency?: number;
}

/** Share of requests traced when {@link EnvoyOptions.traceSampling} is not given. */
export const DEFAULT_TRACE_SAMPLING = 1;
/** Worker threads when {@link EnvoyOptions.concurrency} is not given. */
export const DEFAULT_CONCURRENCY = 1;
