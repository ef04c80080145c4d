// The library below decorates classes and needs this first.
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { createHash, randomBytes, webcrypto } from "node:crypto";

import { type Names, nameExtensions, usageExtensions } from "./extensions";
import { type SigningKeys, signingKeys } from "./keys";

x509.cryptoProvider.set(webcrypto as never);

const HOUR_MS = 3_600_000;
const SERIAL_BYTES = 16;
const SUBJECT_ALTERNATIVE_NAME = "2.5.29.17";
const SUBJECT_KEY_ID = "2.5.29.14";

/** What a certificate says besides its names and its key. */
export interface Validity {
  readonly hours: number;
  readonly allowedUses: readonly string[];
  readonly isCa: boolean;
  /** Above 0, or not given: as with the official provider, 0 and below set no limit. */
  readonly maxPathLength: number | undefined;
  readonly setSubjectKeyId: boolean;
}

export interface Issued {
  readonly pem: string;
  /** Decimal. */
  readonly serial: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Of the key that signed. */
  readonly algorithm: SigningKeys["algorithm"];
}

export interface Request {
  readonly pem: string;
  readonly id: string;
  readonly algorithm: SigningKeys["algorithm"];
}

/** A certificate signing request. */
export async function certificateRequest(keyPem: string, subject: x509.JsonName, names: Names): Promise<Request> {
  const { pair, signing, algorithm } = await signingKeys(keyPem);
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: subject,
    keys: pair,
    signingAlgorithm: signing,
    extensions: nameExtensions(names, subject.length === 0),
  });
  const id = createHash("sha1").update(Buffer.from(request.rawData)).digest("hex");
  return { pem: `${request.toString("pem")}\n`, id, algorithm };
}

/** A certificate that a key signs for itself. */
export async function selfSigned(
  keyPem: string,
  subject: x509.JsonName,
  names: Names,
  validity: Validity,
  setAuthorityKeyId: boolean,
  now = new Date(),
): Promise<Issued> {
  const keys = await signingKeys(keyPem);
  const publicKey = new x509.PublicKey(keys.spki);
  const name = new x509.Name(subject);
  const subjectKeyId = await keyId(publicKey, validity);
  if (setAuthorityKeyId && subjectKeyId === undefined) {
    throw new Error("setAuthorityKeyId needs a key id to name: set setSubjectKeyId too, or isCaCertificate");
  }
  const authority = { name, keyId: setAuthorityKeyId ? subjectKeyId : undefined, keys };
  return await issue(
    { name, publicKey, subjectKeyId, alternative: nameExtensions(names, subject.length === 0) },
    authority,
    validity,
    now,
  );
}

/** A certificate for a request, signed by an authority. The request's own signature is checked. */
export async function locallySigned(
  requestPem: string,
  authorityPem: string,
  authorityKeyPem: string,
  validity: Validity,
  now = new Date(),
): Promise<Issued> {
  const request = new x509.Pkcs10CertificateRequest(requestPem);
  if (!(await request.verify())) {
    throw new Error("the certificate request is not signed by the key that it names");
  }
  const authority = new x509.X509Certificate(authorityPem);
  const keys = await signingKeys(authorityKeyPem);
  if (!keys.spki.equals(Buffer.from(authority.publicKey.rawData))) {
    throw new Error("caPrivateKeyPem is not the key of caCertPem");
  }
  const alternative = request.getExtension(SUBJECT_ALTERNATIVE_NAME);
  const authorityKeyId = authority.getExtension<x509.SubjectKeyIdentifierExtension>(SUBJECT_KEY_ID)?.keyId;
  return await issue(
    {
      name: request.subjectName,
      publicKey: request.publicKey,
      subjectKeyId: await keyId(request.publicKey, validity),
      alternative: alternative === null ? [] : [alternative],
    },
    { name: authority.subjectName, keyId: authorityKeyId, keys },
    validity,
    now,
  );
}

interface Subject {
  readonly name: x509.Name;
  readonly publicKey: x509.PublicKey;
  readonly subjectKeyId: string | undefined;
  readonly alternative: readonly x509.Extension[];
}

interface Authority {
  /** As it stands in its certificate: verifiers compare names byte by byte. */
  readonly name: x509.Name;
  /** For the authority key identifier; none is written where it is absent. */
  readonly keyId: string | undefined;
  readonly keys: SigningKeys;
}

async function issue(subject: Subject, authority: Authority, validity: Validity, now: Date): Promise<Issued> {
  const { isCa, maxPathLength, allowedUses } = validity;
  if (isCa && subject.name.toJSON().length === 0) {
    throw new Error("a certificate of an authority needs a subject: give subject.commonName");
  }
  if (!isCa && maxPathLength !== undefined) {
    throw new Error("maxPathLength is for certificates of an authority: set isCaCertificate, or leave it out");
  }
  const certificate = await x509.X509CertificateGenerator.create({
    ...period(validity.hours, now),
    serialNumber: serialNumber(),
    subject: subject.name,
    issuer: authority.name,
    publicKey: subject.publicKey,
    signingKey: authority.keys.pair.privateKey,
    signingAlgorithm: authority.keys.signing,
    extensions: [
      ...usageExtensions(allowedUses, isCa, maxPathLength),
      ...(subject.subjectKeyId === undefined ? [] : [new x509.SubjectKeyIdentifierExtension(subject.subjectKeyId)]),
      ...(authority.keyId === undefined ? [] : [new x509.AuthorityKeyIdentifierExtension(authority.keyId)]),
      ...subject.alternative,
    ],
  });
  return {
    pem: `${certificate.toString("pem")}\n`,
    serial: BigInt(`0x${certificate.serialNumber}`).toString(),
    notBefore: certificate.notBefore,
    notAfter: certificate.notAfter,
    algorithm: authority.keys.algorithm,
  };
}

/** The key's id where one is to stand in its certificate; an authority always has one. */
async function keyId(publicKey: x509.PublicKey, { setSubjectKeyId, isCa }: Validity): Promise<string | undefined> {
  return setSubjectKeyId || isCa ? Buffer.from(await publicKey.getKeyIdentifier()).toString("hex") : undefined;
}

function period(hours: number, now: Date): { notBefore: Date; notAfter: Date } {
  // Certificates count whole seconds.
  const start = Math.floor(now.getTime() / 1000) * 1000;
  return { notBefore: new Date(start), notAfter: new Date(start + hours * HOUR_MS) };
}

/** Positive, random, and without a leading zero octet. */
function serialNumber(): string {
  const bytes = randomBytes(SERIAL_BYTES);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString("hex");
}
