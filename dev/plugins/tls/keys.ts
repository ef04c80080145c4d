import { createHash, createPrivateKey, createPublicKey, generateKeyPair, type KeyObject, webcrypto } from "node:crypto";
import { promisify } from "node:util";

import { opensshTexts } from "./openssh";

const NODE_CURVES: Readonly<Record<string, string>> = {
  P224: "secp224r1",
  P256: "prime256v1",
  P384: "secp384r1",
  P521: "secp521r1",
};
const WEB_CURVES: Readonly<Record<string, string>> = { prime256v1: "P-256", secp384r1: "P-384", secp521r1: "P-521" };
/** Digest that goes with a curve's size, as Go's library picks it. */
const CURVE_HASHES: Readonly<Record<string, string>> = { "P-256": "SHA-256", "P-384": "SHA-384", "P-521": "SHA-512" };

export const ALGORITHMS: readonly string[] = ["RSA", "ECDSA", "ED25519"];
export const CURVES: readonly string[] = Object.keys(NODE_CURVES);

/** Off the main thread: an RSA key may take a second, and other resources wait meanwhile. */
const generate = promisify(generateKeyPair);

/** Makes a private key; algorithm and curve by the SDK's names. */
export async function generateKey(algorithm: string, rsaBits: number, curve: string): Promise<KeyObject> {
  switch (algorithm) {
    case "RSA":
      return (await generate("rsa", { modulusLength: rsaBits })).privateKey;
    case "ECDSA":
      return (await generate("ec", { namedCurve: NODE_CURVES[curve] ?? curve })).privateKey;
    case "ED25519":
      return (await generate("ed25519")).privateKey;
    default:
      throw new Error(`there is no key algorithm ${algorithm}; there are ${ALGORITHMS.join(", ")}`);
  }
}

/** A private key in the forms that are outputs of PrivateKey. */
export interface KeyTexts {
  /** PKCS#1 for RSA, SEC 1 for ECDSA, PKCS#8 for Ed25519. */
  readonly traditional: string;
  readonly pkcs8: string;
  readonly publicPem: string;
  /** Empty for ECDSA on P224, which OpenSSH hasn't; the same holds for the members below. */
  readonly openssh: string;
  readonly publicOpenssh: string;
  readonly md5: string;
  readonly sha256: string;
  /** The resource's id: SHA-1 of the public key. */
  readonly fingerprint: string;
}

export function keyTexts(key: KeyObject): KeyTexts {
  const publicKey = createPublicKey(key);
  return {
    traditional: key.export({ type: traditionalForm(key), format: "pem" }).toString(),
    pkcs8: key.export({ type: "pkcs8", format: "pem" }).toString(),
    publicPem: publicKey.export({ type: "spki", format: "pem" }).toString(),
    ...opensshTexts(key),
    fingerprint: createHash("sha1")
      .update(publicKey.export({ type: "spki", format: "der" }))
      .digest("hex"),
  };
}

function traditionalForm(key: KeyObject): "pkcs1" | "sec1" | "pkcs8" {
  switch (key.asymmetricKeyType) {
    case "rsa":
      return "pkcs1";
    case "ec":
      return "sec1";
    default:
      return "pkcs8";
  }
}

/** A key pair as WebCrypto wants it, with the algorithm that its kind of key signs by. */
export interface SigningKeys {
  readonly pair: webcrypto.CryptoKeyPair;
  readonly signing: { readonly name: string; readonly hash: string };
  /** `RSA` or `ECDSA`, as in the SDK's outputs. */
  readonly algorithm: "RSA" | "ECDSA";
  /** The public key, DER. */
  readonly spki: Buffer;
}

/** Reads a PEM private key of any usual form. */
export async function signingKeys(pem: string): Promise<SigningKeys> {
  const key = createPrivateKey(pem);
  const rsa = key.asymmetricKeyType === "rsa";
  const curve = WEB_CURVES[key.asymmetricKeyDetails?.namedCurve ?? ""];
  if (!rsa && curve === undefined) {
    throw new Error(
      "this stand-in of the tls plugin signs with RSA, and with ECDSA on P256, P384 and P521; the private key is of another kind",
    );
  }
  const hash = CURVE_HASHES[curve ?? ""] ?? "SHA-256";
  const algorithm = rsa ? { name: "RSASSA-PKCS1-v1_5", hash } : { name: "ECDSA", namedCurve: curve ?? "" };
  const pkcs8 = key.export({ type: "pkcs8", format: "der" });
  const privateKey = await webcrypto.subtle.importKey("pkcs8", pkcs8, algorithm, false, ["sign"]);
  const spki = createPublicKey(key).export({ type: "spki", format: "der" });
  const publicKey = await webcrypto.subtle.importKey("spki", spki, algorithm, true, ["verify"]);
  return {
    pair: { privateKey, publicKey },
    signing: { name: algorithm.name, hash },
    algorithm: rsa ? "RSA" : "ECDSA",
    spki,
  };
}
