import { AsnConvert } from "@peculiar/asn1-schema";
import { CertificateList } from "@peculiar/asn1-x509";
import { X509Certificate } from "node:crypto";
import { trustDomainOf, type PeerZone, type ZoneName } from "../../mesh";
import type { AcceptedGenerations, AuthorityGenerations } from "../identity/generations";
import { trustInNobody, type TrustText } from "../identity/nobody";

const COMMON_NAME = "2.5.4.3";

/** What another part's stack told, as far as this one believes it. */
export interface BelievedTrust extends TrustText {
  readonly generations: AcceptedGenerations;
}

/**
 * What another zone's stack told, without the authorities that this stack's own configuration calls compromised: whoever has lost a key may have lost the stack with it, so
 * its peers don't wait for it to give that up. Where nothing is left, nobody of the zone is believed.
 */
export function believedOf(zone: ZoneName, told: BelievedTrust, own: AuthorityGenerations): BelievedTrust {
  const lost = { roots: own.roots.compromised, issuers: own.issuers.compromised };
  if (lost.roots.length === 0 && lost.issuers.length === 0) return told;
  const roots = blocksOf(told.rootsPem).filter((pem) => {
    const generation = rootGeneration(commonNameOf(pem), zone);
    return generation !== undefined && !lost.roots.includes(generation);
  });
  const lists = blocksOf(told.revocationsPem).filter((pem) => {
    const generation = issuerGeneration(listIssuerOf(pem), zone);
    return (
      generation !== undefined && !lost.roots.includes(generation.root) && !lost.issuers.includes(generation.issuer)
    );
  });
  const left = { rootsPem: roots.join(""), revocationsPem: lists.join("") };
  return {
    ...(roots.length === 0 || lists.length === 0 ? trustInNobody(zone) : left),
    generations: {
      roots: told.generations.roots.filter((generation) => !lost.roots.includes(generation)),
      issuers: told.generations.issuers.filter((generation) => !lost.issuers.includes(generation)),
    },
  };
}

/** The generation of a zone's root by its name: `wallet.lucid.internal root 2`. Undefined for another name. */
export function rootGeneration(commonName: string | undefined, zone: PeerZone): number | undefined {
  const match = new RegExp(`^${domain(zone)} root(?: (\\d+))?$`).exec(commonName ?? "");
  return match === null ? undefined : Number(match[1] ?? 1);
}

/** The generations of a zone's issuing authority and of the root above it, by its name: `wallet.lucid.internal root 2 issuing 3`. Undefined for another name. */
export function issuerGeneration(
  commonName: string | undefined,
  zone: PeerZone,
): { readonly root: number; readonly issuer: number } | undefined {
  const match = new RegExp(`^${domain(zone)}(?: root (\\d+))? issuing(?: (\\d+))?$`).exec(commonName ?? "");
  return match === null ? undefined : { root: Number(match[1] ?? 1), issuer: Number(match[2] ?? 1) };
}

/** Each block of a PEM text, with its end of line. */
export function blocksOf(text: string): readonly string[] {
  return (text.match(/-----BEGIN [^-]+-----[^-]+-----END [^-]+-----/g) ?? []).map((block) => `${block}\n`);
}

/** The common name of a certificate's subject; undefined where it can't be read. */
export function commonNameOf(pem: string): string | undefined {
  try {
    return /^CN=(.*)$/m.exec(new X509Certificate(pem).subject)?.[1];
  } catch {
    return undefined;
  }
}

/** The common name of who issued a revocation list; undefined where it can't be read. */
export function listIssuerOf(pem: string): string | undefined {
  try {
    const der = Buffer.from(pem.replace(/-----[^-]+-----/g, ""), "base64");
    const { issuer } = AsnConvert.parse(der, CertificateList).tbsCertList;
    return issuer
      .flatMap((parts) => [...parts])
      .find(({ type }) => type === COMMON_NAME)
      ?.value.toString();
  } catch {
    return undefined;
  }
}

function domain(zone: PeerZone): string {
  return trustDomainOf(zone).replaceAll(".", "\\.");
}
