import * as x509 from "@peculiar/x509";
import { isIP } from "node:net";

const KEY_USAGES: Readonly<Record<string, x509.KeyUsageFlags>> = {
  digital_signature: x509.KeyUsageFlags.digitalSignature,
  content_commitment: x509.KeyUsageFlags.nonRepudiation,
  key_encipherment: x509.KeyUsageFlags.keyEncipherment,
  data_encipherment: x509.KeyUsageFlags.dataEncipherment,
  key_agreement: x509.KeyUsageFlags.keyAgreement,
  cert_signing: x509.KeyUsageFlags.keyCertSign,
  crl_signing: x509.KeyUsageFlags.cRLSign,
  encipher_only: x509.KeyUsageFlags.encipherOnly,
  decipher_only: x509.KeyUsageFlags.decipherOnly,
};

const EXTENDED_USAGES: Readonly<Record<string, string>> = {
  any_extended: "2.5.29.37.0",
  server_auth: "1.3.6.1.5.5.7.3.1",
  client_auth: "1.3.6.1.5.5.7.3.2",
  code_signing: "1.3.6.1.5.5.7.3.3",
  email_protection: "1.3.6.1.5.5.7.3.4",
  ipsec_end_system: "1.3.6.1.5.5.7.3.5",
  ipsec_tunnel: "1.3.6.1.5.5.7.3.6",
  ipsec_user: "1.3.6.1.5.5.7.3.7",
  timestamping: "1.3.6.1.5.5.7.3.8",
  ocsp_signing: "1.3.6.1.5.5.7.3.9",
  microsoft_server_gated_crypto: "1.3.6.1.4.1.311.10.3.3",
  netscape_server_gated_crypto: "2.16.840.1.113730.4.1",
  microsoft_commercial_code_signing: "1.3.6.1.4.1.311.2.1.22",
  microsoft_kernel_code_signing: "1.3.6.1.4.1.311.61.1.1",
};

/** Names that `allowedUses` may hold. */
export const ALLOWED_USES: readonly string[] = [...Object.keys(KEY_USAGES), ...Object.keys(EXTENDED_USAGES)].sort();

export interface Names {
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly uris: readonly string[];
}

/** Key usage, extended key usage and basic constraints. */
export function usageExtensions(
  allowedUses: readonly string[],
  isCa: boolean,
  maxPathLength: number | undefined,
): x509.Extension[] {
  const usages = allowedUses.reduce<number>((flags, use) => flags | (KEY_USAGES[use] ?? 0), 0);
  const extended = allowedUses.flatMap((use) => EXTENDED_USAGES[use] ?? []);
  return [
    // Several flags together are no member of their enumeration.
    // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment
    ...(usages === 0 ? [] : [new x509.KeyUsagesExtension(usages, true)]),
    ...(extended.length === 0 ? [] : [new x509.ExtendedKeyUsageExtension(extended)]),
    new x509.BasicConstraintsExtension(isCa, maxPathLength, true),
  ];
}

/**
 * Subject alternative names, where there are any; critical where the subject is empty (RFC 5280, section 4.2.1.6).
 * @throws Error for an IP address or a URI that is none
 */
export function nameExtensions(names: Names, critical: boolean): x509.Extension[] {
  for (const address of names.ipAddresses) {
    if (isIP(address) === 0) {
      throw new Error(`ipAddresses: "${address}" is no IP address`);
    }
  }
  for (const uri of names.uris) {
    if (!URL.canParse(uri)) {
      throw new Error(`uris: "${uri}" is no URI`);
    }
  }
  const all: x509.JsonGeneralNames = [
    ...names.dnsNames.map((value) => ({ type: "dns" as const, value })),
    ...names.ipAddresses.map((value) => ({ type: "ip" as const, value })),
    ...names.uris.map((value) => ({ type: "url" as const, value })),
  ];
  return all.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(all, critical)];
}
