import type { ResourceRule, StackRule } from "../judgement/rule";
import { admissionPolicies } from "./admission-policies";
import { consulDefaultDeny } from "./consul-default-deny";
import { consulLeastPrivilege } from "./consul-least-privilege";
import { declaredServices } from "./declared-services";
import { egressTorOnly } from "./egress-tor-only";
import { envoyListenersMtls } from "./envoy-listeners-mtls";
import { envoyUpstreamsMtls } from "./envoy-upstreams-mtls";
import { etcdLeastPrivilege } from "./etcd-least-privilege";
import { etcdMutualTls } from "./etcd-mutual-tls";
import { imagesPinned } from "./images-pinned";
import { membersOnly } from "./members-only";
import { issuersLeastPrivilege } from "./issuers-least-privilege";
import { mtlsRequired } from "./mtls-required";
import { networkPolicyZoneIsolation } from "./network-policy-zone-isolation";
import { nodeResolverClosed } from "./node-resolver-closed";
import { podSecurityRestricted } from "./pod-security-restricted";
import { privateKeysInSecrets } from "./private-keys-in-secrets";
import { rbacLeastPrivilege } from "./rbac-least-privilege";
import { resourceLimits } from "./resource-limits";
import { resourceTypesKnown } from "./resource-types-known";
import { secretsOwnOnly } from "./secrets-own-only";
import { serviceAccountTokens } from "./service-account-tokens";
import { servicesInternalOnly } from "./services-internal-only";
import { sidecarRequired } from "./sidecar-required";
import { stackInvariants } from "./stack-invariants";
import { tlsCertificates } from "./tls-certificates";
import { tlsPrivateKeys } from "./tls-private-keys";

/** Rules that judge each resource by itself. */
export const resourceRules: readonly ResourceRule[] = [
  resourceTypesKnown,
  membersOnly,
  sidecarRequired,
  networkPolicyZoneIsolation,
  egressTorOnly,
  mtlsRequired,
  envoyListenersMtls,
  envoyUpstreamsMtls,
  privateKeysInSecrets,
  secretsOwnOnly,
  serviceAccountTokens,
  rbacLeastPrivilege,
  consulDefaultDeny,
  consulLeastPrivilege,
  etcdMutualTls,
  etcdLeastPrivilege,
  nodeResolverClosed,
  imagesPinned,
  podSecurityRestricted,
  resourceLimits,
  servicesInternalOnly,
  tlsPrivateKeys,
  tlsCertificates,
  issuersLeastPrivilege,
  admissionPolicies,
  declaredServices,
];

/** Rules that judge a stack as a whole. */
export const stackRules: readonly StackRule[] = [stackInvariants];
