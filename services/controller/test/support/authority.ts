import "reflect-metadata";
import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

x509.cryptoProvider.set(webcrypto);

export type Kind = "ECDSA" | "RSA";

const KINDS = {
  ECDSA: { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" },
  RSA: {
    name: "RSASSA-PKCS1-v1_5",
    hash: "SHA-256",
    modulusLength: 2048,
    publicExponent: new Uint8Array([1, 0, 1]),
  },
} as const;

/** A zone's issuing authority under its root, as Pulumi makes them. */
export interface TestAuthority {
  readonly rootPem: string;
  readonly certificatePem: string;
  readonly keyPem: string;
  /** The Secret's data. */
  readonly secret: Readonly<Record<"tls.crt" | "tls.key", string>>;
}

/**
 * Makes one.
 *
 * @param name of what it is the issuing authority
 * @param more what of it is unusual
 */
export async function testAuthority(
  name = "ops.lucid.internal",
  more: { readonly kind?: Kind; readonly subject?: string; readonly notAfter?: Date; readonly isCa?: boolean } = {},
): Promise<TestAuthority> {
  const signingAlgorithm = KINDS[more.kind ?? "ECDSA"];
  const keys = () => webcrypto.subtle.generateKey(signingAlgorithm, true, ["sign", "verify"]);
  const [rootKeys, issuingKeys] = await Promise.all([keys(), keys()]);
  const notBefore = new Date(Date.now() - 86_400_000);
  const notAfter = new Date(Date.now() + 300 * 86_400_000);
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${name} root, O=Lucid`,
    keys: rootKeys,
    notBefore,
    notAfter,
    signingAlgorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, 1, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(rootKeys.publicKey),
    ],
  });
  const issuing = await x509.X509CertificateGenerator.create({
    subject: more.subject ?? `CN=${name} issuing, O=Lucid`,
    issuer: root.subject,
    publicKey: issuingKeys.publicKey,
    signingKey: rootKeys.privateKey,
    notBefore,
    notAfter: more.notAfter ?? notAfter,
    signingAlgorithm,
    extensions: [
      new x509.BasicConstraintsExtension(more.isCa ?? true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(issuingKeys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(rootKeys.publicKey),
    ],
  });
  const der = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", issuingKeys.privateKey));
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  const keyPem = `-----BEGIN PRIVATE KEY-----\n${lines.join("\n")}\n-----END PRIVATE KEY-----\n`;
  const certificatePem = `${issuing.toString("pem")}\n`;
  return {
    rootPem: root.toString("pem"),
    certificatePem,
    keyPem,
    secret: { "tls.crt": certificatePem, "tls.key": keyPem },
  };
}
