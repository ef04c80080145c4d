/** Whether a leaf is what it should be. Pure but for the clock that it is given. */
import { createHash, createPrivateKey, X509Certificate } from "node:crypto";
import type { IssuingPolicy } from "../../../../mesh/issuing/index.js";
import type { IssuingAuthority } from "./authority.js";
import type { SecretData } from "./objects.js";

const HOUR_MS = 3_600_000;
/** A certificate is made anew when this much of its life is over, or up to {@link JITTER} sooner. */
const RENEWAL = 2 / 3;
const JITTER = 1 / 20;
const CLIENT_AND_SERVER = ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"];
const FILES = ["tls.crt", "tls.key"];

/** What is known of a leaf without its key. */
export interface LeafRecord {
  readonly digest: string;
  /** Lower-case hexadecimal without leading zeros. */
  readonly serial: string;
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** From when on it is made anew. */
  readonly renewal: number;
}

/** Why a leaf is made anew, in a word that metrics bear. */
export type Fault = "missing" | "unreadable" | "mismatched" | "misissued" | "overlong" | "due" | "early" | "revoked";

export type Verdict =
  { readonly kind: "good"; readonly record: LeafRecord } | { readonly kind: "bad"; readonly fault: Fault };

/** What a leaf is to be. */
export interface Expected {
  readonly identity: string;
  readonly commonName: string;
  readonly policy: IssuingPolicy;
  readonly authority: IssuingAuthority;
}

/**
 * Judges what a Secret holds.
 *
 * @param data undefined where there is no Secret
 * @param now milliseconds since 1970
 */
export function judgeLeaf(data: SecretData | undefined, expected: Expected, now: number): Verdict {
  if (data === undefined || FILES.some((file) => (data[file] ?? "") === "")) {
    return bad("missing");
  }
  const pair = read(data);
  if (pair === undefined) {
    return bad("unreadable");
  }
  const { leaf, signers, key } = pair;
  const { authority, policy } = expected;
  if (!leaf.checkPrivateKey(key) || Object.keys(data).length !== FILES.length) {
    return bad("mismatched");
  }
  const [signer, ...others] = signers;
  const isSigned =
    signer !== undefined &&
    others.length === 0 &&
    signer.raw.equals(authority.certificate.raw) &&
    leaf.checkIssued(authority.certificate) &&
    leaf.verify(authority.certificate.publicKey);
  if (!isSigned || !says(leaf, expected)) {
    return bad("misissued");
  }
  const record = recordOf(data["tls.crt"] ?? "", leaf);
  if (policy.revoked.includes(record.serial)) {
    return bad("revoked");
  }
  if (record.notAfter - record.notBefore > policy.validityHours * HOUR_MS) {
    return bad("overlong");
  }
  if (record.notBefore > now) {
    return bad("early");
  }
  return record.renewal <= now ? bad("due") : { kind: "good", record };
}

/** What is known of a chain's leaf without its key. */
export function recordOf(chainPem: string, leaf = new X509Certificate(chainPem)): LeafRecord {
  const serial = BigInt(`0x${leaf.serialNumber}`).toString(16);
  const [notBefore, notAfter] = [Date.parse(leaf.validFrom), Date.parse(leaf.validTo)];
  const life = notAfter - notBefore;
  return {
    digest: digestOf(chainPem),
    serial,
    notBefore,
    notAfter,
    renewal: notBefore + Math.floor(life * (RENEWAL - JITTER * shareOf(serial))),
  };
}

/** Serial number of whatever certificate a Secret holds, good or not; undefined where it holds none. */
export function serialIn(data: SecretData | undefined): string | undefined {
  const pair = data && read(data);
  return pair && BigInt(`0x${pair.leaf.serialNumber}`).toString(16);
}

function says(leaf: X509Certificate, { identity, commonName, policy }: Expected): boolean {
  const key = leaf.publicKey;
  const isOfKind =
    policy.algorithm === "ECDSA"
      ? key.asymmetricKeyType === "ec" && key.asymmetricKeyDetails?.namedCurve === "prime256v1"
      : key.asymmetricKeyType === "rsa" && (key.asymmetricKeyDetails?.modulusLength ?? 0) >= 2048;
  return (
    isOfKind &&
    !leaf.ca &&
    leaf.subjectAltName === `URI:${identity}` &&
    leaf.subject.split("\n").includes(`CN=${commonName}`) &&
    CLIENT_AND_SERVER.every((use) => leaf.keyUsage.includes(use))
  );
}

function read(data: SecretData) {
  try {
    const [first = "", ...rest] =
      (data["tls.crt"] ?? "").match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
    const certificates = [first, ...rest].map((pem) => new X509Certificate(pem));
    const [leaf, ...signers] = certificates;
    return leaf && { leaf, signers, key: createPrivateKey(data["tls.key"] ?? "") };
  } catch {
    // What the parser says could quote what it was given.
    return undefined;
  }
}

/** A number from 0 to 1 that is a certificate's own: many that were made together are not made anew together, and whoever looks finds the same instant. */
function shareOf(serial: string): number {
  return createHash("sha256").update(serial).digest().readUInt32BE(0) / 0xffffffff;
}

function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

function bad(fault: Fault): Verdict {
  return { kind: "bad", fault };
}
