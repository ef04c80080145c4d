import type { Ceiling } from "../ceiling";
import { partyOfIdentity } from "../envoy/scope";
import type { Field } from "../judgement/field";
import type { Findings } from "../judgement/finding";
import { findingsIn, type StackFinding, type StackResource } from "../judgement/rule";
import { TLS, zoneOfAuthority } from "./resources";

/**
 * Who signs whom: judged by where a certificate's parts come from (`propertyDependencies`), for the PEMs are not known before the update. A leaf is signed by the
 * issuing authority of the zone that its identity names, that by the root of the same zone, each by its own key and no other.
 */
export function misissued(
  resources: readonly StackResource[],
  { datacenter }: Pick<Ceiling, "datacenter">,
): StackFinding[] {
  return [
    ...resources
      .filter(({ type }) => type === TLS.locallySigned)
      .flatMap((certificate) =>
        findingsIn(certificate, (_, findings) => {
          judgeSigned(certificate, datacenter?.name, findings);
        }),
      ),
    ...sharedKeys(resources),
  ];
}

function judgeSigned(certificate: StackResource, datacenter: string | undefined, findings: Findings): void {
  const request = origin(certificate, "certRequestPem", [TLS.request]);
  const signer = origin(certificate, "caCertPem", [TLS.locallySigned, TLS.selfSigned]);
  const signingKey = origin(certificate, "caPrivateKeyPem", [TLS.privateKey]);
  if (request === undefined || signer === undefined || signingKey === undefined) {
    findings.add(
      "",
      "it can't be told from the plan who signs what",
      "take certRequestPem, caCertPem and caPrivateKeyPem each from one resource of this stack, as CertificateAuthority does",
    );
    return;
  }
  findings.require(
    signingKey.urn === keyOf(signer)?.urn,
    "caPrivateKeyPem",
    "it is signed by another key than its authority's",
    "take the key of the authority whose certificate stands in caCertPem",
  );
  const isAuthority = certificate.properties.at("isCaCertificate").is(true);
  const uris = request.properties.at("uris").texts();
  const zone = zoneOf(signer, datacenter);
  if (isAuthority) {
    findings.require(
      signer.type === TLS.selfSigned && zone !== undefined && zone === zoneOf(certificate, datacenter),
      "caCertPem",
      "an issuing authority is signed by something else than its own zone's root",
      "have it signed by the root of its zone",
    );
    findings.require(
      uris.length === 0,
      "certRequestPem",
      "an authority would have a service's identity",
      "take the request of an authority",
    );
    return;
  }
  const party = uris.length === 1 ? partyOfIdentity(uris[0] ?? "", datacenter) : undefined;
  findings.require(
    party !== undefined,
    "certRequestPem",
    "the leaf would not have exactly one identity",
    "take a request with exactly one URI SAN",
  );
  findings.require(
    signer.type === TLS.locallySigned && signer.properties.at("isCaCertificate").is(true),
    "caCertPem",
    "a leaf is signed by something else than an issuing authority",
    "have it signed by the zone's issuing authority: a root signs nothing else, and what is no authority signs nothing",
  );
  findings.require(
    party === undefined || party.startsWith(`${zone ?? ""}/`),
    "caCertPem",
    `${party ?? "the leaf"} is signed by the authority of ${zone === undefined ? "no zone" : `zone ${zone}`}`,
    "have it signed by the authority of the zone that its identity names",
  );
}

/** A key that two requests or roots have is two identities' key, and its holder can be either. */
function sharedKeys(resources: readonly StackResource[]): StackFinding[] {
  const seen = new Map<string, StackResource>();
  return resources
    .filter(({ type }) => type === TLS.request || type === TLS.selfSigned)
    .flatMap((resource) => {
      const key = origin(resource, "privateKeyPem", [TLS.privateKey]);
      if (key === undefined) {
        return findingsIn(resource, (_, findings) => {
          findings.add(
            "privateKeyPem",
            "it can't be told from the plan whose key it is for",
            "take it from one PrivateKey of this stack, as CertificateAuthority does",
          );
        });
      }
      const other = seen.get(key.urn);
      seen.set(key.urn, resource);
      if (other === undefined) return [];
      return findingsIn(resource, (_, findings) => {
        findings.add("privateKeyPem", `its key is that of ${other.name} too`, "give each certificate a key of its own");
      });
    });
}

/** The one resource that a property's value comes from, if it is of one of these types. */
export function origin(resource: StackResource, property: string, types: readonly string[]): StackResource | undefined {
  const [only, ...others] = resource.origins(property);
  return only !== undefined && others.length === 0 && types.includes(only.type) ? only : undefined;
}

/** The key that an authority's certificate is for. */
export function keyOf(authority: StackResource): StackResource | undefined {
  if (authority.type === TLS.selfSigned) return origin(authority, "privateKeyPem", [TLS.privateKey]);
  const request = origin(authority, "certRequestPem", [TLS.request]);
  return request === undefined ? undefined : origin(request, "privateKeyPem", [TLS.privateKey]);
}

/** Whether a certificate is that of a zone's issuing authority, as authorities are named in the datacenter that is judged. */
export function isIssuingOf(certificate: StackResource, zone: string, datacenter: string | undefined): boolean {
  return (
    certificate.type === TLS.locallySigned &&
    certificate.properties.at("isCaCertificate").is(true) &&
    zoneOf(certificate, datacenter) === zone
  );
}

/** The zone that an authority's certificate names. */
function zoneOf(authority: StackResource, datacenter: string | undefined): string | undefined {
  const named = authority.type === TLS.selfSigned ? authority : origin(authority, "certRequestPem", [TLS.request]);
  const name: Field | undefined = named?.properties.at("subject", "commonName");
  return name === undefined ? undefined : zoneOfAuthority(name.text() ?? "", datacenter);
}
