import { createHash } from "node:crypto";

const FILE = /^tokens\.([a-z0-9-]+)\.yaml$/;

/** The datacenter whose tokens a file of a sidecar is about; undefined of any other file. */
export function tokenDatacenter(file: string): string | undefined {
  return FILE.exec(file)?.[1];
}

/** Digest of an issuer and its public keys, the text of a JSON Web Key Set. */
export function digestOfTokens(issuer: string, keySet: string): string {
  return createHash("sha256")
    .update(JSON.stringify([issuer, keySet]))
    .digest("hex")
    .slice(0, 32);
}
