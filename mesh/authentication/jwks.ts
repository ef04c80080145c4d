/**
 * JSON Web Key Sets by which tokens of end users are checked: public keys of asymmetric algorithms and nothing else.
 *
 * @see https://www.rfc-editor.org/rfc/rfc7517 keys, https://www.rfc-editor.org/rfc/rfc7518#section-6 their members,
 * https://www.rfc-editor.org/rfc/rfc8725 best practices
 */

/** One thing that is wrong with a key or a key set: what, where below it, and the mend. */
export interface KeyProblem {
  readonly path: readonly (string | number)[];
  readonly message: string;
  readonly mend: string;
}

type Jwk = Readonly<Record<string, unknown>>;

/** Members that only a private or a shared key has. */
const SECRET_MEMBERS = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] as const;

/** For each type of key: its own members in the order written, and the algorithms that it can check. */
const KINDS: Readonly<Record<string, { readonly members: readonly string[]; readonly algorithms: readonly string[] }>> =
  {
    RSA: { members: ["n", "e"], algorithms: ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"] },
    EC: { members: ["crv", "x", "y"], algorithms: ["ES256", "ES384", "ES512"] },
    OKP: { members: ["crv", "x"], algorithms: ["EdDSA"] },
  };

const CURVES: Readonly<Record<string, readonly string[]>> = { EC: ["P-256", "P-384", "P-521"], OKP: ["Ed25519"] };
const CURVE_ALGORITHMS: Readonly<Record<string, string>> = { "P-256": "ES256", "P-384": "ES384", "P-521": "ES512" };

/** The shortest RSA modulus accepted (RFC 7518, section 3.3). */
const RSA_BITS = 2048;

const BASE64URL = /^[A-Za-z0-9_-]+$/;

/** Everything that is wrong with a set's keys; empty when they can be used. No message holds a member's value. */
export function keySetProblems(keys: readonly unknown[]): readonly KeyProblem[] {
  const first = new Map<string, number>();
  return keys.flatMap((key, index): readonly KeyProblem[] => {
    if (!isJwk(key)) return [{ path: [index], message: "this is no key", mend: "write a JSON Web Key" }];
    const problem = keyProblem(key);
    if (problem !== undefined) return [{ ...problem, path: [index, ...problem.path] }];
    if (typeof key.kid !== "string") return [];
    const earlier = first.get(key.kid);
    if (earlier === undefined) {
      first.set(key.kid, index);
      return [];
    }
    const message = `two keys have the same 'kid' (also keys[${String(earlier)}])`;
    return [{ path: [index, "kid"], message, mend: "give each its own" }];
  });
}

/**
 * The key set as Envoy is told it: one line of JSON with the members that check a signature and no others.
 *
 * @param keys without problems (see {@link keySetProblems})
 */
export function renderKeySet(keys: readonly unknown[]): string {
  const publicPart = (key: Jwk): Jwk => {
    const members = ["kty", "kid", "use", "alg", ...(KINDS[String(key.kty)]?.members ?? [])];
    return Object.fromEntries(members.flatMap((member) => (key[member] === undefined ? [] : [[member, key[member]]])));
  };
  return JSON.stringify({ keys: keys.filter(isJwk).map(publicPart) });
}

/** The keys in the text of a key set file, or what is wrong with it. */
export function readKeySet(text: string): { readonly keys: readonly unknown[] } | { readonly problem: KeyProblem } {
  const wrong = (message: string) => ({
    problem: { path: [], message, mend: 'write {"keys": [...]}, a JSON Web Key Set' },
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return wrong("the file is no JSON");
  }
  const keys = isJwk(value) ? value.keys : undefined;
  if (!Array.isArray(keys) || keys.length === 0) return wrong("the file holds no keys");
  return { keys };
}

function keyProblem(key: Jwk): KeyProblem | undefined {
  const wrong = (member: string, message: string, mend: string): KeyProblem => ({ path: [member], message, mend });
  const secret = SECRET_MEMBERS.find((member) => key[member] !== undefined);
  if (secret !== undefined || key.kty === "oct") {
    const message = "this is a private or shared key: whoever reads the document could make tokens";
    return wrong(secret ?? "kty", message, "write the public key alone, and have the issuer take a new one");
  }
  const kind = typeof key.kty === "string" && Object.hasOwn(KINDS, key.kty) ? KINDS[key.kty] : undefined;
  if (kind === undefined) return wrong("kty", "this is no type of public key", "write RSA, EC or OKP");
  const curves = CURVES[String(key.kty)];
  if (curves !== undefined && !curves.includes(String(key.crv))) {
    return wrong("crv", "this curve is not known", `write ${curves.join(", ")}`);
  }
  const missing = kind.members.find((member) => typeof key[member] !== "string" || !BASE64URL.test(key[member]));
  if (missing !== undefined) return wrong(missing, "the key lacks this member", "write it as base64url text");
  if (key.kty === "RSA" && modulusBits(String(key.n)) < RSA_BITS) {
    return wrong("n", `an RSA key has ${String(RSA_BITS)} bits at least`, "have the issuer take a longer one");
  }
  const expected = CURVE_ALGORITHMS[String(key.crv)];
  const algorithms = expected === undefined ? kind.algorithms : [expected];
  if (key.alg !== undefined && !algorithms.some((algorithm) => algorithm === key.alg)) {
    return wrong("alg", "a key of this type can't check this algorithm", `write ${algorithms.join(", ")}`);
  }
  if (key.kid !== undefined && typeof key.kid !== "string") return wrong("kid", "this is no text", "put it in quotes");
  if (key.use !== undefined && key.use !== "sig") {
    return wrong("use", "the key is not for signatures", "write 'sig', or leave it out");
  }
  return undefined;
}

/** Bits of a big-endian number in base64url. */
function modulusBits(base64url: string): number {
  const hex = Buffer.from(base64url, "base64url").toString("hex").replace(/^0+/, "");
  return hex === "" ? 0 : hex.length * 4 - Math.clz32(Number.parseInt(hex.slice(0, 1), 16)) + 28;
}

function isJwk(value: unknown): value is Jwk {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
