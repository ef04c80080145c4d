/** The objects of Consul's ACL system, as far as they decide who may do what. */
import type { AclRule } from "../acl-rules";

export interface AclPolicy {
  readonly name: string;
  /** What messages call it: `AclPolicy lucid-registrar-ops`. */
  readonly title: string;
  readonly rules: readonly AclRule[];
  /** Where it holds; everywhere where none is named. */
  readonly datacenters: readonly string[];
}

/** What a token, a role or a login is given. */
export interface Grants {
  /** Names of policies. */
  readonly policies: readonly string[];
  /** Names of roles. A role has none. */
  readonly roles: readonly string[];
  readonly serviceIdentities: readonly ServiceIdentity[];
  readonly nodeIdentities: readonly NodeIdentity[];
  readonly templatedPolicies: readonly TemplatedPolicy[];
}

/** A service's right to register itself and its proxy, and to read all names. */
export interface ServiceIdentity {
  readonly service: string;
  readonly datacenters: readonly string[];
}

/** A node's right to register itself, and to read all services. */
export interface NodeIdentity {
  readonly node: string;
  readonly datacenter: string;
}

/** One of the policies that Consul writes itself, with a name put in. */
export interface TemplatedPolicy {
  readonly template: string;
  readonly name: string;
  readonly datacenters: readonly string[];
}

export interface AclRole extends Grants {
  readonly name: string;
  readonly title: string;
}

export interface AclToken extends Grants {
  /** What messages call it: `AclToken consul-registrar-ops-token`. */
  readonly title: string;
}

/** How somebody proves who he is, to be given a token by the method's binding rules. */
export interface AuthMethod {
  readonly name: string;
  readonly title: string;
  /** `kubernetes`, `jwt`, … */
  readonly type: string;
}

export interface BindingRule {
  readonly title: string;
  readonly authMethod: string;
  /** `service`, `node`, `role`, `policy`, `templated-policy`. */
  readonly bindType: string;
  /** With `${serviceaccount.name}` and the like put in. */
  readonly bindName: string;
  /** Name for a templated policy. */
  readonly bindVariable: string;
  /** Which logins it is about; empty: all. */
  readonly selector: string;
}

/** All of them. */
export interface AclObjects {
  readonly policies: readonly AclPolicy[];
  readonly roles: readonly AclRole[];
  readonly tokens: readonly AclToken[];
  readonly authMethods: readonly AuthMethod[];
  readonly bindingRules: readonly BindingRule[];
}

export const NO_GRANTS: Grants = {
  policies: [],
  roles: [],
  serviceIdentities: [],
  nodeIdentities: [],
  templatedPolicies: [],
};
