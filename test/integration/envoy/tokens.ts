/** Tokens of end users, right and wrong, made by hand: a library would refuse to make the wrong ones. */
import { createHmac, generateKeyPairSync, sign, type JsonWebKey, type KeyObject } from "node:crypto";

type Algorithm = "ES256" | "RS256";
type Claims = Readonly<Record<string, unknown>>;

/** An issuer with one key of each algorithm. */
export class Issuer {
  private readonly pairs = {
    ES256: generateKeyPairSync("ec", { namedCurve: "P-256" }),
    RS256: generateKeyPairSync("rsa", { modulusLength: 2048 }),
  };

  /** @param claims what every token says unless a test says otherwise */
  constructor(private readonly claims: () => Claims) {}

  /** The public keys, as the document holds them; one says its algorithm, the other does not. */
  get jwks(): JsonWebKey[] {
    const { ES256, RS256 } = this.pairs;
    return [
      { ...ES256.publicKey.export({ format: "jwk" }), kid: "ES256", alg: "ES256", use: "sig" },
      { ...RS256.publicKey.export({ format: "jwk" }), kid: "RS256" },
    ];
  }

  /** A signed token; `claims` are laid over the usual ones, and undefined takes one out. */
  token(claims: Claims = {}, { alg = "ES256", kid = alg }: { alg?: Algorithm; kid?: string } = {}): string {
    const text = this.unsigned({ alg, kid }, claims);
    return `${text}.${signature(alg, text, this.pairs[alg].privateKey)}`;
  }

  /** A token that says `alg: none` and has no signature. */
  unprotected(claims: Claims = {}): string {
    return `${this.unsigned({ alg: "none" }, claims)}.`;
  }

  /** A token whose HMAC takes the public RSA key for the shared secret, in each form in which a verifier may hold it. */
  confused(claims: Claims = {}): string[] {
    const { publicKey } = this.pairs.RS256;
    const { n = "" } = publicKey.export({ format: "jwk" });
    const secrets = [
      publicKey.export({ type: "spki", format: "pem" }),
      publicKey.export({ type: "spki", format: "der" }),
      Buffer.from(n, "base64url"),
      JSON.stringify(this.jwks[1]),
    ];
    return secrets.map((secret) => {
      const text = this.unsigned({ alg: "HS256", kid: "RS256" }, claims);
      return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
    });
  }

  private unsigned(header: object, claims: Claims): string {
    return `${encode(header)}.${encode({ ...this.claims(), ...claims })}`;
  }
}

/** Seconds since 1970, as tokens count. */
export function now(): number {
  return Math.floor(Date.now() / 1000);
}

function signature(algorithm: Algorithm, text: string, key: KeyObject): string {
  const bytes = Buffer.from(text);
  const made =
    algorithm === "ES256" ? sign("sha256", bytes, { key, dsaEncoding: "ieee-p1363" }) : sign("sha256", bytes, key);
  return made.toString("base64url");
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
