import { createHash } from "node:crypto";

/** By which a text stands in a declaration: the first half of its SHA-256, in hexadecimal. */
export function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 32);
}
