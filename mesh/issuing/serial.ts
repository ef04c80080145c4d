import { createHash } from "node:crypto";

const HOUR_MS = 3_600_000;
/** Parts of a certificate's life, each with its own serial numbers. */
const SLOTS = 24;
/** Certificates that one identity may be given in one slot under numbers of their own. */
const ATTEMPTS = 4;
const BYTES = 16;
/** What a revocation looks beyond a certificate's life, either way: an update takes its time until the issuer hears of it. */
const MARGIN_MS = HOUR_MS;

/**
 * The serial number of a certificate, in lower-case hexadecimal without leading zeros: a digest of the identity that it names and of when it is made. So who doesn't
 * know what an issuer has issued knows what it may have, and can revoke it.
 *
 * @param time milliseconds since 1970
 * @param used serial numbers that the identity is known to have had: it gets another, as long as the slot has one
 * @param revoked serial numbers that nobody believes: it gets none of them
 * @throws RangeError where all of the slot's are revoked
 */
export function serialAt(
  identity: string,
  validityHours: number,
  time: number,
  used: readonly string[] = [],
  revoked: readonly string[] = [],
): string {
  const slot = slotOf(time, validityHours);
  const own = serialsInSlot(identity, validityHours, slot).filter((serial) => !revoked.includes(serial));
  const serial = own.find((each) => !used.includes(each)) ?? own[0];
  if (serial === undefined) {
    const minutes = Math.ceil(((slot + 1) * slotLength(validityHours) - time) / 60_000);
    throw new RangeError(
      `every serial number that ${identity} may be given now is revoked; there are others in ${String(minutes)} min`,
    );
  }
  return serial;
}

/** Every serial number under which an identity may have a certificate that has not run out at an instant, or is made soon after it. */
export function serialsUntil(identity: string, validityHours: number, time: number): readonly string[] {
  const first = slotOf(time - validityHours * HOUR_MS - MARGIN_MS, validityHours);
  const last = slotOf(time + MARGIN_MS, validityHours);
  return Array.from({ length: last - first + 1 }, (_, index) =>
    serialsInSlot(identity, validityHours, first + index),
  ).flat();
}

function slotOf(time: number, validityHours: number): number {
  return Math.floor(time / slotLength(validityHours));
}

function slotLength(validityHours: number): number {
  return (validityHours * HOUR_MS) / SLOTS;
}

function serialsInSlot(identity: string, validityHours: number, slot: number): readonly string[] {
  return Array.from({ length: ATTEMPTS }, (_, attempt) => {
    const text = JSON.stringify(["lucid certificate", identity, validityHours, slot, attempt]);
    const digest = createHash("sha256").update(text).digest().subarray(0, BYTES);
    // RFC 5280, section 4.1.2.2: positive; and of the same length throughout.
    digest.writeUInt8(((digest[0] ?? 0) & 0x7f) | 0x40, 0);
    return digest.toString("hex");
  });
}
