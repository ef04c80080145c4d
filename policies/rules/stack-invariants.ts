import type { Ceiling } from "../ceiling";
import { Unjudgeable } from "../judgement/field";
import type { Findings } from "../judgement/finding";
import { findingsIn, type StackFinding, type StackResource, type StackRule } from "../judgement/rule";
import { KubeObject, isKind } from "../kubernetes/object";
import { allContainers, makesPods, podTemplates } from "../kubernetes/pods";
import { keysElsewhere } from "../tls/holders";
import { misissued } from "../tls/provenance";
import { missingAdmission } from "./admission-complete";
import { unjudgedBindings } from "./bound-roles";
import { falseDeclarations } from "./declarations";
import { gatesElsewhere } from "./gate-targets";
import { governedZones } from "./governed-zones";
import { managementTokenElsewhere } from "./management-token";
import { isTrustFile } from "./private-keys-in-secrets";
import { beyondCeiling } from "./reachability";
import { registrationBeyondCeiling } from "./registration";
import { tokensElsewhere } from "./token-holders";
import { unprovenTokenPolicies } from "./token-policies";

/** What can be said only of all resources together: the one stack rule, because each deserializes them all again. */
export const stackInvariants: StackRule = {
  name: "stack-invariants",
  description:
    "Each zone's namespace has a default deny in both directions; what pods stand on is in the plan, or judged elsewhere by the ceiling's leave; what is unknown at preview comes from where it may come from; who signs a certificate is the authority of its zone; keys and Consul's tokens lie with whom they are for, its management token and the one that takes snapshots with its servers; roles that are bound and policies of tokens stand in the plan; admission policies are complete; what the controller is told was declared is what the plan makes; start gates try the node resolver; all objects together let nobody reach anybody, nor register or look up any name, beyond the ceiling.",
  severity: "critical",
  remediation: "Declare zones with the Zone component, images with ServiceImage, trust with Sidecar.",
  uses: [
    "members",
    "infrastructure",
    "joined",
    "externals",
    "edges",
    "outside",
    "datacenter",
    "links",
    "snapshotTakers",
    "aclReaders",
  ],
  judge(resources, ceiling) {
    return [
      ...missingDefaultDenies(resources, ceiling),
      ...governedZones(resources, ceiling),
      ...resources.filter(({ type }) => makesPods(type)).flatMap((resource) => findingsIn(resource, unprovenImages)),
      ...resources
        .filter(({ type }) => isKind(type, "ConfigMap"))
        .flatMap((resource) => findingsIn(resource, unprovenRoots)),
      ...misissued(resources, ceiling),
      ...keysElsewhere(resources, ceiling),
      ...managementTokenElsewhere(resources),
      ...unprovenTokenPolicies(resources),
      ...tokensElsewhere(resources, ceiling),
      ...gatesElsewhere(resources, ceiling),
      ...missingAdmission(resources, ceiling),
      ...unjudgedBindings(resources),
      ...falseDeclarations(resources),
      ...beyondCeiling(resources, ceiling),
      ...registrationBeyondCeiling(resources, ceiling),
    ];
  },
};

/** NetworkPolicies only add up: without a policy that selects everything, a pod without one of its own is open. */
function missingDefaultDenies(resources: readonly StackResource[], ceiling: Pick<Ceiling, "members">): StackFinding[] {
  const closed = new Set(
    resources
      .filter(({ type }) => isKind(type, "NetworkPolicy"))
      .flatMap((resource) => closedNamespace(resource) ?? []),
  );
  return resources
    .filter(({ type }) => isKind(type, "Namespace"))
    .flatMap((resource) =>
      findingsIn(resource, (_, findings) => {
        const object = KubeObject.of(resource);
        if (!object?.concernsMesh || object.zone(ceiling) === undefined) return;
        findings.require(
          closed.has(object.name ?? ""),
          "",
          "the namespace has no default deny in both directions",
          "add a NetworkPolicy with an empty podSelector, policyTypes [Ingress, Egress] and no rules, as Zone does",
        );
      }),
    );
}

/** The namespace that a policy closes for every pod, if it is a default deny. */
function closedNamespace(resource: StackResource): string | undefined {
  try {
    const object = KubeObject.of(resource);
    if (object === undefined) return undefined;
    const { spec } = object;
    const selector = spec.at("podSelector");
    const selectsAll =
      !selector.isAbsent && selector.at("matchLabels").isEmpty && selector.at("matchExpressions").isEmpty;
    const types = spec.at("policyTypes").texts();
    const opens = !spec.at("ingress").isEmpty || !spec.at("egress").isEmpty;
    return selectsAll && !opens && types.includes("Ingress") && types.includes("Egress")
      ? object.namespace.text()
      : undefined;
  } catch (error) {
    // What can't be known closes nothing.
    if (error instanceof Unjudgeable) return undefined;
    throw error;
  }
}

/** An image that is unknown at preview is one that this stack builds. */
function unprovenImages(resource: StackResource, findings: Findings): void {
  const object = KubeObject.of(resource);
  if (!object?.concernsMesh) return;
  for (const template of podTemplates(object)) {
    const unknown = allContainers(template.spec).filter(({ field }) => field.at("image").isUnknown);
    for (const { field } of unknown) {
      findings.require(
        resource.origins("spec").some(({ type }) => type === "docker:index/image:Image"),
        field.at("image"),
        "the image can't be known at preview and is none that this stack builds",
        "name it as a plain value, or build it with ServiceImage",
      );
    }
  }
}

/**
 * Trust that is unknown at preview comes from certificates, and from the keys by which their revocation lists are signed: not from a key alone, not from a
 * random value. That no key stands in the text itself is judged when it is known, before the object is made (`private-keys-in-secrets`).
 */
function unprovenRoots(resource: StackResource, findings: Findings): void {
  for (const [, entry] of resource.properties.at("data").entries()) {
    if (!entry.isUnknown || !isTrustFile(resource, entry.path)) continue;
    const sources = resource.origins("data").map(({ type }) => TRUST_SOURCES.find((known) => type.startsWith(known)));
    findings.require(
      sources.includes(ROOTS) && sources.every((source) => source !== undefined),
      entry,
      "the roots can't be known at preview and do not come from certificates alone",
      "take certPem of the zones' root certificates, and revocation lists of their issuing authorities",
    );
    findings.require(
      !sources.includes(SIGNING_KEYS) || (sources.includes(ISSUERS) && !entry.path.endsWith('["ca.crt"]')),
      entry,
      "a key is among what the trust is made of, and no issuing authority whose revocation list it could sign",
      "take rootsPem and revocationsPem of CertificateAuthority",
    );
  }
}

const ROOTS = "tls:index/selfSignedCert:";
const ISSUERS = "tls:index/locallySignedCert:";
const SIGNING_KEYS = "tls:index/privateKey:";
const TRUST_SOURCES = [ROOTS, ISSUERS, SIGNING_KEYS];
