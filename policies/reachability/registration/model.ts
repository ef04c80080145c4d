/** Who may register, change, take away and look up what in a discovery backend, whichever it is. */
import type { Place } from "../layer";

/** The backends that there are. */
export type BackendName = "consul" | "etcd";

/** `list` is of Consul's keys alone. */
export type Right = "read" | "list" | "write";
export const RIGHTS: readonly Right[] = ["read", "list", "write"];

/** Something that a backend holds: a service's name, a node, a key, or all that nothing tells apart from one. */
export interface Item {
  /** For messages: `the service payout-router`, `every other node`. */
  readonly text: string;
  /** The service, where it is the registration of one. */
  readonly service?: string;
  /** Whether it is a name, that is registered and looked up. */
  readonly isName: boolean;
}

/** Who has a credential: the party of pods that read the object in which it lies. */
export interface Holder {
  /** `Mesh/mesh-controller`. */
  readonly party: string;
  /** The object that it lies in. */
  readonly place: Place;
}

/** A token, a user, or whoever may log in as somebody. */
export interface Credential {
  /** `AclToken consul-registrar-ops-token`, `etcd's user registrar-ops`. */
  readonly title: string;
  readonly place: Place;
  /** Undefined where the objects don't tell: that of a cluster's Secrets, which nobody is shown. */
  readonly holders: readonly Holder[] | undefined;
  /** Whether the backend has it by itself, whoever knows it. */
  readonly isBuiltIn?: boolean;
}

/** What somebody may be given, as a document or a ceiling says it. */
export interface Entitlement {
  /** For messages: `registers zone ops`. */
  readonly title: string;
  /** A word that the credential's objects may be named by; it only decides where several would fit alike. */
  readonly word: string;
  /** Who may have such a credential. */
  readonly holders: readonly string[];
  /** Services whose instances may be registered, changed and taken away. */
  readonly registers: ReadonlySet<string>;
  /** What the nodes are named by that may be registered: Consul has one for each instance. */
  readonly nodePrefixes: readonly string[];
  /** Whether every name may be looked up. */
  readonly readsAll: boolean;
  /** Whether ACLs may be written, by which the bearer could give himself every other right: what Consul asks of who takes snapshots. */
  readonly writesAcls: boolean;
  /** Whether ACLs may be read: who may do what, and no token's secret. */
  readonly readsAcls: boolean;
  /** Whether everything may be done: nobody else is named then. */
  readonly isRoot: boolean;
  /** Whether there must be such a credential. */
  readonly isRequired: boolean;
}

/** What a backend holds, and who may do what with it. */
export interface Directory {
  readonly backend: BackendName;
  readonly credentials: readonly Credential[];
  /**
   * All that credentials and entitlements tell apart, one for each that they don't.
   *
   * @param services that there are, each of which is an item of its own
   */
  items(services: readonly string[], entitlements: readonly Entitlement[]): readonly Item[];
  /** What a credential lets be done with an item. */
  granted(credential: Credential, item: Item): readonly Right[];
  /** What decides about that, for messages: `AclPolicy consul-registrar-ops-policy, \`service "web" { policy = "write" }\``. */
  groundOf(credential: Credential, item: Item, right: Right): string;
  /** What an entitlement is to do with an item. */
  entitled(entitlement: Entitlement, item: Item): readonly Right[];
}
