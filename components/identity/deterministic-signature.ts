import { p256 } from "@noble/curves/nist.js";
import { createHash, createPrivateKey, sign } from "node:crypto";

/** A signature, and the algorithm that made it. */
export interface DeterministicSignature {
  /** Object identifier of the signature algorithm (RFC 8017, appendix A.2.4; RFC 5758, section 3.2). */
  readonly algorithm: string;
  /** As X.509 wants it: for ECDSA the DER of its two numbers. */
  readonly bytes: Uint8Array;
}

const SHA256_WITH_RSA = "1.2.840.113549.1.1.11";
const ECDSA_WITH_SHA256 = "1.2.840.10045.4.3.2";

/** Object identifier of the algorithm by which a key signs. @throws TypeError for a key that is neither RSA nor ECDSA on P-256 */
export function signatureAlgorithm(keyPem: string): string {
  const key = createPrivateKey(keyPem);
  if (key.asymmetricKeyType === "rsa") return SHA256_WITH_RSA;
  if (key.asymmetricKeyType === "ec" && key.asymmetricKeyDetails?.namedCurve === "prime256v1") return ECDSA_WITH_SHA256;
  throw new TypeError("only RSA keys and ECDSA keys on P-256 sign here; the mesh's authorities have one of the two");
}

/**
 * Signs so that the same key and data always give the same bytes: what a second `pulumi up` signs anew is no change then. RSA does that by itself
 * (PKCS #1 v1.5); for ECDSA the nonce is derived from key and data (RFC 6979), which Node's own signatures are not.
 *
 * @throws TypeError for a key that is neither RSA nor ECDSA on P-256
 */
export function signDeterministically(keyPem: string, data: Uint8Array): DeterministicSignature {
  const algorithm = signatureAlgorithm(keyPem);
  const key = createPrivateKey(keyPem);
  if (algorithm === SHA256_WITH_RSA) return { algorithm, bytes: sign("sha256", data, key) };
  const scalar = Buffer.from(key.export({ format: "jwk" }).d ?? "", "base64url");
  const digest = createHash("sha256").update(data).digest();
  return { algorithm, bytes: p256.sign(digest, scalar, { prehash: false }).toBytes("der") };
}
