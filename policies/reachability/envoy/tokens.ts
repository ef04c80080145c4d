import { createHash } from "node:crypto";

/** Digest of an issuer and its public keys, the text of a JSON Web Key Set. */
export function digestOfTokens(issuer: string, keySet: string): string {
  return createHash("sha256")
    .update(JSON.stringify([issuer, keySet]))
    .digest("hex")
    .slice(0, 16);
}
