import { createHash } from "node:crypto";
import { z } from "zod";
import type { Withdrawal } from "../../envoy";
import { ZONES, type Mesh, type Service, type ZoneName } from "../../mesh";
import { fromJson, type AuthorityGenerations } from "./generations";

/** Why a certificate was revoked, by the names of RFC 5280, section 5.3.1; those that concern authorities or are taken back are left out. */
export const REVOCATION_REASONS = [
  "unspecified",
  "keyCompromise",
  "affiliationChanged",
  "superseded",
  "cessationOfOperation",
  "privilegeWithdrawn",
] as const;

export type RevocationReason = (typeof REVOCATION_REASONS)[number];

/** A certificate that no peer believes any more, though it has not expired. */
export interface RevokedCertificate {
  readonly zone: ZoneName;
  /** The service whose identity it bears. */
  readonly service: string;
  /** Serial number: lower-case hexadecimal, without leading zeros. */
  readonly serial: string;
  readonly reason: RevocationReason;
  readonly date: Date;
}

/** RFC 5280, section 4.1.2.2: 20 octets at most, positive. */
const SERIAL = /^(0x)?[0-9a-f]{1,2}(:?[0-9a-f]{2}){0,19}$/i;

/** Parses `revokedCertificates`: a JSON list of `{zone, service, serial, reason, date}`. */
export const revokedCertificates = z.preprocess(
  fromJson,
  z
    .array(
      z.strictObject({
        zone: z.enum(ZONES, `is no zone; zones are ${ZONES.join(", ")}`),
        service: z.string("is missing: the service whose certificate it is").min(1, "is empty"),
        serial: z
          .string("is missing: the serial number, in hexadecimal")
          .regex(
            SERIAL,
            "is no serial number in hexadecimal (openssl x509 -noout -serial, or callerSerial of a record)",
          )
          .transform((text) => BigInt(`0x${text.replace(/^0x|:/gi, "")}`).toString(16))
          .refine((serial) => serial !== "0", "is zero"),
        reason: z.enum(REVOCATION_REASONS, `is none of ${REVOCATION_REASONS.join(", ")}`).default("unspecified"),
        date: z
          .string("is missing: when it was revoked, as 2026-11-21")
          .regex(/^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}Z)?$/, "is no date such as 2026-11-21 or 2026-11-21T05:30:00Z")
          .transform((text, context) => {
            const date = new Date(text);
            if (Number.isNaN(date.getTime()))
              context.addIssue({ code: "custom", message: "is no day of the calendar" });
            return date;
          }),
      }),
      "is no JSON list",
    )
    .superRefine((list, context) => {
      const seen = new Set<string>();
      list.forEach(({ zone, serial }, index) => {
        if (seen.has(`${zone}/${serial}`)) {
          context.addIssue({ code: "custom", path: [index], message: `revokes ${serial} of zone ${zone} twice` });
        }
        seen.add(`${zone}/${serial}`);
      });
    }),
);

/**
 * What is wrong with a list of revocations in view of the mesh: a name that is mistyped would be revoked without a connection of it being cut off.
 *
 * @returns one sentence each; none where all is well
 */
export function revocationProblems(mesh: Mesh, list: readonly RevokedCertificate[]): string[] {
  return list.flatMap(({ zone, service, serial }) => {
    const found = mesh.services.find((candidate) => candidate.name === service);
    if (found?.zone === zone) return [];
    return found === undefined
      ? `certificate ${serial} is said to be that of '${service}', which the document doesn't declare; name the service by its callers' name for it, or take the entry out where the service is gone (nobody accepts its identity then)`
      : `certificate ${serial} is said to be that of '${service}' of zone ${zone}, but that service is in zone ${found.zone}; name that zone`;
  });
}

/**
 * Part of the names of a service's key and certificate: another as soon as one of its certificates is revoked, so that the update which revokes it also
 * gives the service a new one. Undefined for a service without revocations.
 */
export function leafRevision(service: string, list: readonly RevokedCertificate[]): string | undefined {
  const serials = list.filter((entry) => entry.service === service).map(({ serial }) => serial);
  if (serials.length === 0) return undefined;
  return createHash("sha256").update(serials.sort().join()).digest("hex").slice(0, 8);
}

/** A withdrawal from a zone of the stack's own. */
export interface OwnWithdrawal extends Withdrawal {
  readonly zone: ZoneName;
}

/** All on account of which peers have to prove themselves anew: revoked certificates and services, and authorities whose keys were lost. */
export function withdrawals(
  list: readonly RevokedCertificate[],
  generations: Readonly<Record<ZoneName, AuthorityGenerations>>,
  services: readonly Pick<Service, "name" | "zone" | "revoked">[],
): OwnWithdrawal[] {
  const lost = ZONES.flatMap((zone): OwnWithdrawal[] => [
    ...generations[zone].roots.compromised.map((root) => ({ zone, what: `root ${String(root)}` })),
    ...generations[zone].issuers.compromised.map((issuer) => ({ zone, what: `issuer ${String(issuer)}` })),
  ]);
  const revoked = services
    .filter((service) => service.revoked !== undefined)
    .map(({ zone, name }): OwnWithdrawal => ({ zone, service: name, what: "service" }));
  return [...list.map(({ zone, service, serial }) => ({ zone, service, what: serial })), ...revoked, ...lost];
}
