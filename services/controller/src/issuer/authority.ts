import { createPrivateKey, X509Certificate, type KeyObject } from "node:crypto";
import { trustDomainOf } from "../../../../mesh/names.js";
import type { ZoneName } from "../../../../mesh/model.js";
import type { SecretData } from "./objects.js";

/** What a zone's leaves are signed by. */
export interface IssuingAuthority {
  readonly certificate: X509Certificate;
  readonly certificatePem: string;
  readonly key: KeyObject;
  /** Milliseconds since 1970. */
  readonly notAfter: number;
}

/** What lies in the zone's Secret is nothing that leaves could be signed by. Never says what is in it. */
export class AuthorityError extends Error {
  override readonly name = "AuthorityError";
}

/**
 * Reads the Secret with a zone's issuing authority.
 *
 * @param datacenter that the zone's trust domain names, where there are several
 * @throws AuthorityError where it is none, or another zone's, or that of another datacenter's: nothing is signed by it then
 */
export function readAuthority(data: SecretData, zone: ZoneName, datacenter?: string): IssuingAuthority {
  const certificatePem = data["tls.crt"] ?? "";
  let certificate: X509Certificate;
  let key: KeyObject;
  try {
    certificate = new X509Certificate(certificatePem);
    key = createPrivateKey(data["tls.key"] ?? "");
  } catch {
    // What the parser says could quote what it was given.
    throw new AuthorityError("holds no certificate and key as PEM");
  }
  const domain = trustDomainOf(zone, datacenter);
  const name = new RegExp(`^CN=${domain.replaceAll(".", "\\.")} (root \\d+ )?issuing( \\d+)?$`, "m");
  if (!certificate.ca || !name.test(certificate.subject)) {
    throw new AuthorityError(`is not the issuing authority of zone ${zone} (${domain})`);
  }
  if (!certificate.checkPrivateKey(key)) {
    throw new AuthorityError("holds a key that is not its certificate's");
  }
  return { certificate, certificatePem, key, notAfter: Date.parse(certificate.validTo) };
}
