/**
 * The loopback address of a service: where a *caller's* sidecar answers for it, the same in every pod of the mesh.
 *
 * It is a hash of the name alone, so it never moves because other services come, go or are reordered. Two names may fall on one address (one
 * chance in eight that it happens anywhere among a thousand services). That is an error of the document, mended by an explicit `address` on the
 * newer of the two, and not a silent probe: a probe would move a running service, and a client that remembers its old address would then
 * reach the other one.
 */
import { createHash } from "node:crypto";

/** 127.64.0.0/10: apart from 127.0.0.0/10, where applications and the sidecar itself listen. */
export const ADDRESS_RANGE = "127.64.0.0/10";

/** Addresses in the range whose last octet is neither 0 nor 255. */
const SLOTS = 64 * 256 * 254;

/** The address that a name falls on. */
export function addressOf(service: string): string {
  return slotAddress(createHash("sha256").update(service).digest().readUIntBE(0, 6) % SLOTS);
}

/** An address that a service can be given explicitly: deterministic, near the name's own, and none of those taken. */
export function freeAddress(service: string, taken: ReadonlySet<string>): string {
  for (let attempt = 1; ; attempt++) {
    const candidate = addressOf(`${service}#${String(attempt)}`);
    if (!taken.has(candidate)) return candidate;
  }
}

/** True for a dotted address in 127.64.0.0/10 that may be given to a service. */
export function isServiceAddress(address: string): boolean {
  const match = /^127\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(address);
  if (match === null) return false;
  const octets = match.slice(1).map(Number);
  if (octets.map(String).join(".") !== match.slice(1).join(".")) return false; // 064 is octal for some resolvers
  const [second = 0, third = 0, last = 0] = octets;
  return second >= 64 && second <= 127 && third <= 255 && last >= 1 && last <= 254;
}

function slotAddress(slot: number): string {
  const last = (slot % 254) + 1;
  const third = Math.floor(slot / 254) % 256;
  const second = 64 + Math.floor(slot / (254 * 256));
  return `127.${String(second)}.${String(third)}.${String(last)}`;
}
