import { createHash, createPublicKey, type KeyObject, randomBytes } from "node:crypto";

/** A key in OpenSSH's forms (PROTOCOL.key and RFC 4253, section 6.6); all empty for a kind of key that OpenSSH hasn't. */
export interface OpensshTexts {
  readonly openssh: string;
  readonly publicOpenssh: string;
  /** `aa:bb:…` */
  readonly md5: string;
  /** `SHA256:…` */
  readonly sha256: string;
}

const CURVE_NAMES: Readonly<Record<string, string>> = { "P-256": "nistp256", "P-384": "nistp384", "P-521": "nistp521" };
const BLOCK_SIZE = 8;

export function opensshTexts(key: KeyObject): OpensshTexts {
  const parts = keyParts(key);
  if (parts === undefined) {
    return { openssh: "", publicOpenssh: "", md5: "", sha256: "" };
  }
  const blob = strings(parts.name, ...parts.public);
  const digest = (algorithm: string): Buffer => createHash(algorithm).update(blob).digest();
  return {
    openssh: privateText(blob, strings(parts.name, ...parts.private)),
    publicOpenssh: `${parts.name} ${blob.toString("base64")}\n`,
    md5: [...digest("md5")].map((byte) => byte.toString(16).padStart(2, "0")).join(":"),
    sha256: `SHA256:${digest("sha256").toString("base64").replace(/=+$/, "")}`,
  };
}

interface KeyParts {
  readonly name: string;
  /** What follows the name in the public form, each as a string of RFC 4251. */
  readonly public: readonly Buffer[];
  readonly private: readonly Buffer[];
}

function keyParts(key: KeyObject): KeyParts | undefined {
  const type = key.asymmetricKeyType;
  if (type === "ec" && createPublicKey(key).asymmetricKeyDetails?.namedCurve === "secp224r1") {
    return undefined;
  }
  const jwk = key.export({ format: "jwk" });
  const bytes = (text: string | undefined): Buffer => Buffer.from(text ?? "", "base64url");
  const number = (text: string | undefined): Buffer => mpint(bytes(text));
  if (type === "rsa") {
    const [n, e] = [number(jwk.n), number(jwk.e)];
    return {
      name: "ssh-rsa",
      public: [e, n],
      private: [n, e, number(jwk.d), number(jwk.qi), number(jwk.p), number(jwk.q)],
    };
  }
  if (type === "ed25519") {
    const point = bytes(jwk.x);
    return { name: "ssh-ed25519", public: [point], private: [point, Buffer.concat([bytes(jwk.d), point])] };
  }
  const curve = CURVE_NAMES[jwk.crv ?? ""];
  if (type !== "ec" || curve === undefined) {
    return undefined;
  }
  const point = Buffer.concat([Buffer.of(4), bytes(jwk.x), bytes(jwk.y)]);
  const parts = [Buffer.from(curve), point];
  return { name: `ecdsa-sha2-${curve}`, public: parts, private: [...parts, number(jwk.d)] };
}

/** The unencrypted private form: the public key, then the private one between two equal check numbers and padding. */
function privateText(publicBlob: Buffer, privateParts: Buffer): string {
  const check = randomBytes(4);
  const comment = strings("");
  const length = check.length * 2 + privateParts.length + comment.length;
  const padding = Buffer.from(
    Array.from({ length: (BLOCK_SIZE - (length % BLOCK_SIZE)) % BLOCK_SIZE }, (_, index) => index + 1),
  );
  const body = Buffer.concat([
    Buffer.from("openssh-key-v1\0"),
    strings("none", "none", ""),
    Buffer.of(0, 0, 0, 1),
    strings(publicBlob, Buffer.concat([check, check, privateParts, comment, padding])),
  ]);
  const lines = body.toString("base64").match(/.{1,64}/g) ?? [];
  return ["-----BEGIN OPENSSH PRIVATE KEY-----", ...lines, "-----END OPENSSH PRIVATE KEY-----", ""].join("\n");
}

/** Strings of RFC 4251: each with its length before it. */
function strings(...values: readonly (string | Buffer)[]): Buffer {
  return Buffer.concat(
    values.flatMap((value) => {
      const bytes = Buffer.from(value);
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      return [length, bytes];
    }),
  );
}

/** A positive number of RFC 4251: no leading zeros but the one that keeps it positive. */
function mpint(bytes: Buffer): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0);
  const trimmed = first === -1 ? Buffer.alloc(0) : bytes.subarray(first);
  return (trimmed[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), trimmed]) : trimmed;
}
