import { p256 } from "@noble/curves/nist.js";
import { AsnConvert, AsnSerializer, OctetString } from "@peculiar/asn1-schema";
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  CertificateList,
  Extension,
  Extensions,
  KeyUsage,
  KeyUsageFlags,
  Name,
  RelativeDistinguishedName,
  SubjectKeyIdentifier,
  SubjectPublicKeyInfo,
  TBSCertList,
  TBSCertificate,
  Time,
  Validity,
  Version,
  id_ce_authorityKeyIdentifier,
  id_ce_basicConstraints,
  id_ce_keyUsage,
  id_ce_subjectKeyIdentifier,
} from "@peculiar/asn1-x509";
import { createHash } from "node:crypto";
import type { PeerZone } from "../../mesh";

const ECDSA_WITH_SHA256 = "1.2.840.10045.4.3.2";
const EC_PUBLIC_KEY = "1.2.840.10045.2.1";
/** DER of the object identifier of P-256 (RFC 5480, section 2.1.1.1). */
const P256 = Buffer.from("06082a8648ce3d030107", "hex");
const COMMON_NAME = "2.5.4.3";
const ORGANIZATION_NAME = "2.5.4.10";
const BEGIN = new Date("2020-01-01T00:00:00Z");
const END = new Date("2049-12-31T23:59:59Z");
const KEY_ID_BYTES = 20;

/** A zone's trust, as plain text. */
export interface TrustText {
  readonly rootsPem: string;
  readonly revocationsPem: string;
}

/**
 * Trust in nobody of a zone: a root whose key nobody has, and a revocation list of it. A sidecar that is given it refuses everybody of that zone, as caller and as
 * callee. A file without any root Envoy would reject.
 *
 * The public key is a point of the curve found by hashing the zone's name, so that nobody, whoever wrote this included, knows the private key to it. The
 * signatures are numbers without a meaning: nobody checks that of a root (RFC 5280, section 6.1), and the list lists nothing. The same zone always gives the
 * same text.
 */
export function trustInNobody(zone: PeerZone): TrustText {
  const key = pointOf(zone);
  const keyId = createHash("sha1").update(key).digest().subarray(0, KEY_ID_BYTES);
  const name = nameOf(zone);
  const root = new Certificate({
    tbsCertificate: new TBSCertificate({
      version: Version.v3,
      serialNumber: bytes(Buffer.of(1)),
      signature: algorithm(),
      issuer: name,
      validity: new Validity({ notBefore: BEGIN, notAfter: END }),
      subject: name,
      subjectPublicKeyInfo: new SubjectPublicKeyInfo({
        algorithm: new AlgorithmIdentifier({ algorithm: EC_PUBLIC_KEY, parameters: bytes(P256) }),
        subjectPublicKey: bytes(key),
      }),
      extensions: new Extensions([
        extension(id_ce_basicConstraints, new BasicConstraints({ cA: true, pathLenConstraint: 0 }), true),
        extension(id_ce_keyUsage, new KeyUsage(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign), true),
        extension(id_ce_subjectKeyIdentifier, new SubjectKeyIdentifier(bytes(keyId))),
      ]),
    }),
    signatureAlgorithm: algorithm(),
    signatureValue: meaningless(),
  });
  const list = new CertificateList({
    tbsCertList: new TBSCertList({
      version: Version.v2,
      signature: algorithm(),
      issuer: name,
      thisUpdate: new Time(BEGIN),
      nextUpdate: new Time(END),
      crlExtensions: [
        extension(
          id_ce_authorityKeyIdentifier,
          new AuthorityKeyIdentifier({ keyIdentifier: new SubjectKeyIdentifier(bytes(keyId)) }),
        ),
      ],
    }),
    signatureAlgorithm: algorithm(),
    signature: meaningless(),
  });
  return { rootsPem: pem("CERTIFICATE", root), revocationsPem: pem("X509 CRL", list) };
}

/** A point of P-256, uncompressed: the first of the hashes that is the first coordinate of one. */
function pointOf(zone: PeerZone): Uint8Array {
  for (let count = 0; ; count += 1) {
    const hash = createHash("sha256").update(
      `lucid mesh: nobody has the key of this root of zone ${zone}, ${String(count)}`,
    );
    try {
      return p256.Point.fromBytes(Buffer.concat([Buffer.of(2), hash.digest()])).toBytes(false);
    } catch {
      // About every second number is no coordinate.
    }
  }
}

function nameOf(zone: PeerZone): Name {
  const part = (type: string, text: string) =>
    new RelativeDistinguishedName([
      new AttributeTypeAndValue({ type, value: new AttributeValue({ utf8String: text }) }),
    ]);
  return new Name([part(ORGANIZATION_NAME, "Lucid"), part(COMMON_NAME, `${zone}.lucid.internal nobody`)]);
}

function algorithm(): AlgorithmIdentifier {
  return new AlgorithmIdentifier({ algorithm: ECDSA_WITH_SHA256 });
}

/** DER of the two numbers 1 and 1, which no key signs anything by. */
function meaningless(): ArrayBuffer {
  return bytes(Buffer.from("3006020101020101", "hex"));
}

function extension(id: string, value: object, critical = false): Extension {
  return new Extension({ extnID: id, critical, extnValue: new OctetString(AsnConvert.serialize(value)) });
}

function bytes(buffer: Uint8Array): ArrayBuffer {
  return new Uint8Array(buffer).buffer;
}

function pem(kind: string, value: object): string {
  const lines =
    Buffer.from(AsnSerializer.serialize(value))
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${kind}-----\n${lines.join("\n")}\n-----END ${kind}-----\n`;
}
