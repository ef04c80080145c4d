/** Makes a leaf: a key, and the certificate for it. Nothing here is written or logged. */
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  ExtendedKeyUsage,
  Extension,
  Extensions,
  GeneralName,
  id_ce_authorityKeyIdentifier,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  id_ce_subjectKeyIdentifier,
  id_kp_clientAuth,
  id_kp_serverAuth,
  KeyUsage,
  KeyUsageFlags,
  Name,
  RelativeDistinguishedName,
  SubjectAlternativeName,
  SubjectKeyIdentifier,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
  Version,
} from "@peculiar/asn1-x509";
import { createHash, generateKeyPair, sign, X509Certificate, type KeyObject } from "node:crypto";
import { promisify } from "node:util";
import type { IssuingPolicy } from "../../../../mesh/issuing/index.js";
import type { IssuingAuthority } from "./authority.js";

const SHA256_WITH_RSA = "1.2.840.113549.1.1.11";
const ECDSA_WITH_SHA256 = "1.2.840.10045.4.3.2";
const COMMON_NAME = "2.5.4.3";
const ORGANIZATION_NAME = "2.5.4.10";
const ORGANIZATION = "Lucid";
const HOUR_MS = 3_600_000;
const RSA_BITS = 2048;

/** What a certificate is to say. */
export interface LeafRequest {
  /** SPIFFE ID: its one URI SAN. */
  readonly identity: string;
  readonly commonName: string;
  /** Lower-case hexadecimal. */
  readonly serial: string;
  readonly algorithm: IssuingPolicy["algorithm"];
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
}

/** A leaf, as its Secret holds it. */
export interface IssuedLeaf {
  /** The leaf, then the issuing authority, as PEM. */
  readonly chainPem: string;
  /** PKCS#8, as PEM. */
  readonly keyPem: string;
}

/**
 * When a certificate that is made now begins and ends: a little before now, for a peer's clock may be behind; and no later than its authority.
 *
 * @param now milliseconds since 1970
 */
export function lifeFrom(
  now: number,
  { validityHours }: Pick<IssuingPolicy, "validityHours">,
  { notAfter: authorityEnd }: Pick<IssuingAuthority, "notAfter">,
): Pick<LeafRequest, "notBefore" | "notAfter"> {
  // X.509 counts whole seconds.
  const notBefore = Math.floor((now - backdated(validityHours)) / 1000) * 1000;
  return { notBefore, notAfter: Math.min(notBefore + validityHours * HOUR_MS, authorityEnd) };
}

/** Milliseconds by which a certificate begins before it is made: so far may a peer's clock be behind. Five minutes, and no more than a part of its life. */
export function backdated(validityHours: number): number {
  return Math.min(5 * 60_000, (validityHours * HOUR_MS) / 12);
}

/** Makes a key, and signs a certificate for it. The key is nowhere but in what is returned. */
export async function issueLeaf(request: LeafRequest, authority: IssuingAuthority): Promise<IssuedLeaf> {
  const { publicKey, privateKey } = await keyPair(request.algorithm);
  const leaf = signed(request, publicKey, authority);
  return {
    chainPem: `${pem(leaf)}${authority.certificatePem.trimEnd()}\n`,
    keyPem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}

function keyPair(algorithm: LeafRequest["algorithm"]): Promise<{ publicKey: KeyObject; privateKey: KeyObject }> {
  return algorithm === "ECDSA"
    ? promisify(generateKeyPair)("ec", { namedCurve: "P-256" })
    : promisify(generateKeyPair)("rsa", { modulusLength: RSA_BITS });
}

function signed(request: LeafRequest, publicKey: KeyObject, { certificate, key }: IssuingAuthority): Certificate {
  const issuer = AsnConvert.parse(certificate.raw, Certificate).tbsCertificate;
  const subjectKey = AsnConvert.parse(publicKey.export({ type: "spki", format: "der" }), SubjectPublicKeyInfo);
  const algorithm = signatureAlgorithm(key);
  const tbsCertificate = new TBSCertificate({
    version: Version.v3,
    serialNumber: bytes(Buffer.from(request.serial, "hex")),
    signature: algorithm,
    issuer: issuer.subject,
    validity: new Validity({ notBefore: new Date(request.notBefore), notAfter: new Date(request.notAfter) }),
    subject: nameOf(request.commonName),
    subjectPublicKeyInfo: subjectKey,
    extensions: new Extensions([
      extension(id_ce_basicConstraints, new BasicConstraints({ cA: false }), true),
      extension(id_ce_keyUsage, new KeyUsage(keyUse(request.algorithm)), true),
      extension(id_ce_extKeyUsage, new ExtendedKeyUsage([id_kp_serverAuth, id_kp_clientAuth])),
      extension(
        id_ce_subjectKeyIdentifier,
        new SubjectKeyIdentifier(bytes(createHash("sha1").update(Buffer.from(subjectKey.subjectPublicKey)).digest())),
      ),
      extension(id_ce_authorityKeyIdentifier, new AuthorityKeyIdentifier({ keyIdentifier: keyIdentifier(issuer) })),
      extension(
        id_ce_subjectAltName,
        new SubjectAlternativeName([new GeneralName({ uniformResourceIdentifier: request.identity })]),
      ),
    ]),
  });
  const signature = sign("sha256", Buffer.from(AsnConvert.serialize(tbsCertificate)), key);
  return new Certificate({ tbsCertificate, signatureAlgorithm: algorithm, signatureValue: bytes(signature) });
}

/** An ECDSA key can't encipher keys (RFC 8813, section 3). */
function keyUse(algorithm: LeafRequest["algorithm"]): number {
  return algorithm === "ECDSA"
    ? KeyUsageFlags.digitalSignature
    : KeyUsageFlags.digitalSignature | KeyUsageFlags.keyEncipherment;
}

function signatureAlgorithm(key: KeyObject): AlgorithmIdentifier {
  const isRsa = key.asymmetricKeyType === "rsa";
  const algorithm = new AlgorithmIdentifier({ algorithm: isRsa ? SHA256_WITH_RSA : ECDSA_WITH_SHA256 });
  // PKCS #1 wants a NULL there (RFC 4055, section 5), ECDSA nothing at all (RFC 5758, section 3.2).
  if (isRsa) {
    algorithm.parameters = null;
  }
  return algorithm;
}

function keyIdentifier({ extensions }: TBSCertificate): SubjectKeyIdentifier {
  const found = extensions?.find(({ extnID }) => extnID === id_ce_subjectKeyIdentifier);
  if (found === undefined) {
    throw new Error("the issuing authority's certificate has no subject key identifier");
  }
  return AsnConvert.parse(found.extnValue, SubjectKeyIdentifier);
}

function nameOf(commonName: string): Name {
  const part = (type: string, text: string): RelativeDistinguishedName =>
    new RelativeDistinguishedName([
      new AttributeTypeAndValue({ type, value: new AttributeValue({ utf8String: text }) }),
    ]);
  return new Name([part(ORGANIZATION_NAME, ORGANIZATION), part(COMMON_NAME, commonName)]);
}

function extension(id: string, value: object, critical = false): Extension {
  return new Extension({ extnID: id, critical, extnValue: new OctetString(AsnConvert.serialize(value)) });
}

function bytes(buffer: Uint8Array): ArrayBuffer {
  return new Uint8Array(buffer).buffer;
}

function pem(certificate: Certificate): string {
  return new X509Certificate(Buffer.from(AsnConvert.serialize(certificate))).toString();
}
