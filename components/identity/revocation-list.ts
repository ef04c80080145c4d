import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import {
  AlgorithmIdentifier,
  AuthorityKeyIdentifier,
  Certificate,
  CertificateList,
  CRLNumber,
  CRLReason,
  CRLReasons,
  Extension,
  RevokedCertificate as RevokedEntry,
  SubjectKeyIdentifier,
  TBSCertList,
  Time,
  Version,
  id_ce_authorityKeyIdentifier,
  id_ce_cRLNumber,
  id_ce_cRLReasons,
  id_ce_subjectKeyIdentifier,
} from "@peculiar/asn1-x509";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { signatureAlgorithm, signDeterministically } from "./deterministic-signature";
import { serialsUntil } from "../../mesh/issuing";
import type { RevokedCertificate } from "./revocations";

const DAY_MS = 86_400_000;

/** What of a revocation stands in a list. */
export type RevokedSerial = Pick<RevokedCertificate, "serial" | "reason" | "date">;

/**
 * The certificate revocation list (RFC 5280, section 5) of one issuing authority, as PEM. The same arguments give the same text.
 *
 * It is valid for as long as its authority is, and from the authority's own beginning: a date of its own would, on a node whose clock is a little
 * behind, make the list one "not yet valid", and with it every peer of the zone refused. What is newer is told by the list's number.
 *
 * @param issuerPem the authority's certificate; it must have a subject key identifier
 * @param issuerKeyPem its key (RSA, or ECDSA on P-256)
 * @param revoked in any order; an authority that never issued such a serial number loses nothing by listing it
 * @throws Error where the key is not the certificate's
 */
export function revocationList(issuerPem: string, issuerKeyPem: string, revoked: readonly RevokedSerial[]): string {
  const issuer = new X509Certificate(issuerPem);
  if (!issuer.checkPrivateKey(createPrivateKey(issuerKeyPem))) {
    throw new Error("the key is not that of the issuing authority, so nobody would believe its revocation list");
  }
  const { subject, extensions } = AsnConvert.parse(issuer.raw, Certificate).tbsCertificate;
  const keyId = extensions?.find(({ extnID }) => extnID === id_ce_subjectKeyIdentifier)?.extnValue;
  if (keyId === undefined) throw new Error("the issuing authority's certificate has no subject key identifier");
  const algorithm = new AlgorithmIdentifier({ algorithm: signatureAlgorithm(issuerKeyPem) });
  // PKCS #1 wants a NULL there (RFC 4055, section 5), ECDSA nothing at all (RFC 5758, section 3.2).
  if (createPrivateKey(issuerKeyPem).asymmetricKeyType === "rsa") algorithm.parameters = null;

  const list = new TBSCertList({
    version: Version.v2,
    signature: algorithm,
    issuer: subject,
    thisUpdate: new Time(new Date(issuer.validFrom)),
    nextUpdate: new Time(new Date(new Date(issuer.validTo).getTime() + DAY_MS)),
    crlExtensions: [
      extension(
        id_ce_authorityKeyIdentifier,
        new AuthorityKeyIdentifier({ keyIdentifier: AsnConvert.parse(keyId, SubjectKeyIdentifier) }),
      ),
      extension(id_ce_cRLNumber, new CRLNumber(numberOf(revoked))),
    ],
  });
  if (revoked.length > 0) {
    list.revokedCertificates = [...revoked].sort((a, b) => (a.serial < b.serial ? -1 : 1)).map(entry);
  }
  const signature = signDeterministically(issuerKeyPem, new Uint8Array(AsnConvert.serialize(list)));
  const signed = new CertificateList({
    tbsCertList: list,
    signatureAlgorithm: algorithm,
    signature: new Uint8Array(signature.bytes).buffer,
  });
  return pem(Buffer.from(AsnConvert.serialize(signed)));
}

/** A revoked identity, and the last certificate that it was given: nobody is to believe one that it had before. */
export interface RefusedIdentity {
  readonly identity: string;
  readonly leafPem: string;
}

/**
 * A list with the certificates of revoked identities on it, from the day that each last one began: they were never to be believed.
 *
 * @param issuedHours how long certificates live that an issuer makes, where one does: then every one is listed that it can have made and that had not run out when the last one was made
 * @returns every serial number once
 */
export function withCertificates(
  revoked: readonly RevokedSerial[],
  refused: readonly RefusedIdentity[],
  issuedHours?: number,
): readonly RevokedSerial[] {
  const known = new Set(revoked.map(({ serial }) => serial));
  const further = refused.flatMap(({ identity, leafPem }) => {
    const { serialNumber, validFrom } = new X509Certificate(leafPem);
    const date = new Date(validFrom);
    const issued = issuedHours === undefined ? [] : serialsUntil(identity, issuedHours, date.getTime());
    return [BigInt(`0x${serialNumber}`).toString(16), ...issued].map((serial): RevokedSerial => ({
      serial,
      reason: "unspecified",
      date,
    }));
  });
  return [...revoked, ...further.filter(({ serial }) => !known.has(serial))];
}

function entry({ serial, reason, date }: RevokedSerial): RevokedEntry {
  const made = new RevokedEntry({ userCertificate: positiveInteger(serial), revocationDate: new Time(date) });
  // RFC 5280, section 5.3.1: no reason is said rather than "unspecified".
  if (reason !== "unspecified") {
    made.crlEntryExtensions = [extension(id_ce_cRLReasons, new CRLReason(CRLReasons[reason]))];
  }
  return made;
}

/** Grows with every revocation (RFC 5280, section 5.2.3): seconds of the newest, and how many there are. */
function numberOf(revoked: readonly RevokedSerial[]): number {
  const newest = Math.max(0, ...revoked.map(({ date }) => date.getTime() / 1000));
  return newest * 10_000 + revoked.length;
}

function extension(id: string, value: object): Extension {
  return new Extension({ extnID: id, critical: false, extnValue: new OctetString(AsnConvert.serialize(value)) });
}

/** The content octets of a positive INTEGER. */
function positiveInteger(hexadecimal: string): ArrayBuffer {
  const even = hexadecimal.length % 2 === 0 ? hexadecimal : `0${hexadecimal}`;
  const bytes = Buffer.from(even, "hex");
  const signed = (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes;
  return new Uint8Array(signed).buffer;
}

function pem(der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN X509 CRL-----\n${lines.join("\n")}\n-----END X509 CRL-----\n`;
}
