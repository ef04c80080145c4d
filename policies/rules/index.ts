import type { ResourceRule, StackRule } from "../judgement/rule";
import { envoyListenersMtls } from "./envoy-listeners-mtls";
import { envoyUpstreamsMtls } from "./envoy-upstreams-mtls";
import { imagesPinned } from "./images-pinned";
import { membersOnly } from "./members-only";
import { networkPolicyZoneIsolation } from "./network-policy-zone-isolation";
import { podSecurityRestricted } from "./pod-security-restricted";
import { privateKeysInSecrets } from "./private-keys-in-secrets";
import { resourceTypesKnown } from "./resource-types-known";
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
  envoyListenersMtls,
  envoyUpstreamsMtls,
  privateKeysInSecrets,
  imagesPinned,
  podSecurityRestricted,
  servicesInternalOnly,
  tlsPrivateKeys,
  tlsCertificates,
];

/** Rules that judge a stack as a whole. */
export const stackRules: readonly StackRule[] = [stackInvariants];
