/** By what another stack says that a zone of its is to be believed: roots and revocation lists as text, which may come from a file. */
import { X509Certificate } from "node:crypto";
import { z } from "zod";
import { trustDomainOf, type PeerZone } from "../../mesh";
import { blocksOf, commonNameOf, issuerGeneration, listIssuerOf, rootGeneration } from "../parts/believed";
import type { TrustText } from "./nobody";

/** Its shape. */
export const TRUST_TEXT = { rootsPem: pems("CERTIFICATE"), revocationsPem: pems("X509 CRL") } as const;

/** What of it is not the zone's. */
export function trustProblems(
  { rootsPem, revocationsPem }: TrustText,
  zone: PeerZone,
): readonly { readonly path: keyof TrustText; readonly message: string }[] {
  const roots = blocksOf(rootsPem).every((root) => isRootOf(root, zone));
  const lists = blocksOf(revocationsPem).every((list) => issuerGeneration(listIssuerOf(list), zone) !== undefined);
  const root = `has what is no root of zone ${zone}: one is named CN=${trustDomainOf(zone)} root, and signs itself`;
  return [
    ...(roots ? [] : [{ path: "rootsPem" as const, message: root }]),
    ...(lists
      ? []
      : [{ path: "revocationsPem" as const, message: `has a list of no issuing authority of zone ${zone}` }]),
  ];
}

/** One or more PEM blocks of a kind, and nothing else: no key among them. */
function pems(kind: string) {
  const form = new RegExp(`^(-----BEGIN ${kind}-----\\n[A-Za-z0-9+/=\\n]+-----END ${kind}-----\\n*)+$`);
  return z.string().regex(form, `is something else than PEM of the kind ${kind}`);
}

/** By its name and its own signature. That it is the zone's own is what its stack vouches for. */
function isRootOf(pem: string, zone: PeerZone): boolean {
  if (rootGeneration(commonNameOf(pem), zone) === undefined) return false;
  const root = new X509Certificate(pem);
  return root.ca && root.checkIssued(root) && root.verify(root.publicKey);
}
