/** Something that must lie in a Secret, and how it is told. Patterns are narrow: what they hit is a key, not a word about keys. */
interface KeyMaterial {
  readonly what: string;
  readonly pattern: RegExp;
}

const KEY_MATERIAL: readonly KeyMaterial[] = [
  { what: "a PEM private key", pattern: /-----BEGIN [A-Z0-9 ]*PRIVATE KEY( BLOCK)?-----/ },
  { what: "a JSON Web Key with its private part", pattern: /"d"\s*:\s*"[A-Za-z0-9_-]{32,}"/ },
  { what: "a symmetric JSON Web Key", pattern: /"kty"\s*:\s*"oct"/ },
  { what: "an NKEY seed", pattern: /\bS[UAONCX][A-Z2-7]{56}\b/ },
  { what: "an age secret key", pattern: /AGE-SECRET-KEY-1[A-Z0-9]{20,}/ },
  { what: "Consul's gossip key", pattern: /\bencrypt\b["']?\s*[:=]\s*["']?[A-Za-z0-9+/]{43}=/ },
  {
    what: "a Consul token",
    pattern:
      /\b(initial_management|initial_bootstrap|agent_recovery|agent_master|master|secretid|token)\b["']?\s*[:=]\s*["']?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/i,
  },
  { what: "a JSON Web Token", pattern: /\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}/ },
];

/** Base64 of what a PEM begins with, at each of the three places at which it can fall. */
const ENCODED_PEM = ["LS0tLS1CRUdJTi", "0tLS0tQkVHSU4g", "tLS0tLUJFR0lOI"];
/** Looked for where a run begins and nowhere else: from its middle there would be nothing longer to find. */
const BASE64_RUN = /(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{40,}={0,2}/g;
const ENCODINGS = 3;

/** What kind of key a text holds, if any; also base64-encoded, up to three times over. The text itself is never returned. */
export function keyMaterialIn(text: string, depth = 0): string | undefined {
  const found = KEY_MATERIAL.find(({ pattern }) => pattern.test(text));
  if (found !== undefined) return found.what;
  if (depth === ENCODINGS) return undefined;
  // DER in base64 without PEM's armour: PKCS#8, SEC 1 and PKCS#1 keys begin with a sequence and a version.
  for (const run of text.replace(/\\n|\s+/g, "").match(BASE64_RUN) ?? []) {
    const decoded = Buffer.from(run, "base64");
    if (isPrivateKeyDer(decoded)) return "a DER private key";
    const inner = decoded.toString("latin1");
    if (ENCODED_PEM.some((prefix) => run.includes(prefix)) || isText(inner)) {
      const encoded = keyMaterialIn(inner, depth + 1);
      if (encoded !== undefined) return `${encoded} (base64)`;
    }
  }
  return undefined;
}

/** Names of variables whose literal value is a secret. What ends in `_FILE` or `_PATH` says where one lies. */
export function namesSecret(variable: string): boolean {
  return (
    /(^|_)(TOKEN|PASSWORD|PASSWD|SECRET|PRIVATE_KEY|API_KEY|GOSSIP_KEY|ENCRYPTION_KEY|CREDENTIALS?)(_|$)/i.test(
      variable,
    ) && !/_(FILE|PATH|DIR|NAME|TTL|AUDIENCE|SECONDS)$/i.test(variable)
  );
}

/** `SEQUENCE { INTEGER 0|1, …}`: certificates and public keys have no version integer first. */
function isPrivateKeyDer(bytes: Buffer): boolean {
  if (bytes.length < 40 || bytes[0] !== 0x30) return false;
  const lengthBytes = bytes[1] !== undefined && bytes[1] >= 0x80 ? bytes[1] & 0x7f : 0;
  const at = 2 + lengthBytes;
  return bytes[at] === 0x02 && bytes[at + 1] === 0x01 && (bytes[at + 2] === 0x00 || bytes[at + 2] === 0x01);
}

function isText(text: string): boolean {
  return /^[\s\x20-\x7e]+$/.test(text);
}
