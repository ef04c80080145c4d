/** What is registered and what listens, whichever discovery backend the stack under test has. */
import { stackTarget } from "../../../dev/stack";
import { NODE_RESOLVER } from "../../../mesh";
import type { ZoneName } from "../../../mesh";
import type { Credential, Item, Right } from "../../../policies/reachability/registration";
import * as consul from "./consul";
import * as etcd from "./etcd";

/** An instance that is resolved. */
export interface Instance {
  readonly ID: string;
  readonly Address: string;
  readonly Port: number;
  readonly Tags: readonly string[];
}

/** A workload of zone `mesh` without a sidecar. */
export interface Listener {
  readonly name: string;
  /** TCP ports that listen on its pods' addresses. */
  readonly ports: readonly number[];
  /** Those that others of the mesh's own reach, by their names. */
  readonly openTo: Readonly<Record<string, readonly number[]>>;
}

const BACKENDS = { consul, etcd } as const;

/** The backend that the stack's configuration names. */
export const backend = stackTarget().discoveryBackend;

/** Says what of a test's file is left out, and why: nothing is left out in silence. */
export function only(needed: keyof typeof BACKENDS, what: string, define: () => void): void {
  if (backend === needed) define();
  else console.log(`NOT TESTED: ${what}, which is about ${needed}; the stack's discoveryBackend is ${backend}`);
}

/** Instances of a service that are resolved. */
export function passingInstances(service: string, zone: ZoneName): Promise<readonly Instance[]> {
  return BACKENDS[backend].passingInstances(service, zone);
}

/** Whether the backend lets who registers for a zone register a service. It is tried, with an address that leads nowhere. */
export function mayRegister(zone: ZoneName, service: string): Promise<boolean> {
  return BACKENDS[backend].mayRegister(zone, service);
}

/** What the backend itself lets who registers for a zone do with items, in their order. Nothing is changed. */
export function rightsOf(zone: ZoneName, items: readonly Item[]): Promise<readonly (readonly Right[])[]> {
  return BACKENDS[backend].rightsOf(zone, items);
}

/** By which of the computed credentials a zone is registered. */
export function credentialOf(zone: ZoneName, computed: readonly Credential[]): Promise<Credential | undefined> {
  return BACKENDS[backend].credentialOf(zone, computed);
}

/** What of credentials stands in the backend and not in Kubernetes, as `mesh reachability --acl` takes it. */
export function credentials(): Promise<string | undefined> {
  return BACKENDS[backend].credentials();
}

const { SERVERS, IN_RESOLVERS } = BACKENDS[backend];

/** Every workload of the mesh's own without a sidecar. Services with one may ask the node resolvers for names besides, at their `dnsPort`. */
export const INFRASTRUCTURE: readonly Listener[] = [
  ...SERVERS,
  {
    name: NODE_RESOLVER.service,
    ports: [NODE_RESOLVER.dnsPort, NODE_RESOLVER.canaryPort, ...IN_RESOLVERS.ports],
    openTo: IN_RESOLVERS.openTo,
  },
];
