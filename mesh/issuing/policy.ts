/** What a zone's issuer goes by: ConfigMap `lucid-issuing`, written by the program, judged by the admission policies, read by the issuer. */
import { z } from "zod";

export interface IssuingPolicy {
  /** Names of the zone's services for which it makes certificates; for nobody else. */
  readonly services: readonly string[];
  /** Datacenter whose name the zone's identities bear; undefined where the mesh is in one. */
  readonly datacenter?: string;
  /** Life of a certificate. */
  readonly validityHours: number;
  /** Kind of its key: `ECDSA` is P-256, `RSA` has 2048 bits. */
  readonly algorithm: "ECDSA" | "RSA";
  /** Serial numbers (lower-case hexadecimal, without leading zeros) of certificates that nobody believes: who has one gets another. */
  readonly revoked: readonly string[];
}

/** Ninety days: longer than this no leaf lives. */
const LONGEST_HOURS = 90 * 24;

const lines = (line: RegExp) =>
  z
    .string()
    .transform((text) => text.split("\n").filter((each) => each !== ""))
    .pipe(z.array(z.string().regex(line)));

const schema = z.object({
  services: lines(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/),
  datacenter: z
    .string()
    .regex(/^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$/)
    .optional(),
  validityHours: z
    .string()
    .regex(/^[1-9][0-9]{0,3}$/)
    .transform(Number)
    .refine((hours) => hours <= LONGEST_HOURS, `is above ${String(LONGEST_HOURS)}`),
  algorithm: z.enum(["ECDSA", "RSA"]),
  revoked: lines(/^[1-9a-f][0-9a-f]{0,39}$/).optional(),
});

/** The data of the ConfigMap: lists with an entry a line, so that an admission policy can read them. */
export function issuingPolicyData({
  services,
  datacenter,
  validityHours,
  algorithm,
  revoked,
}: IssuingPolicy): Record<string, string> {
  return {
    services: [...services].sort().join("\n"),
    ...(datacenter === undefined ? {} : { datacenter }),
    validityHours: String(validityHours),
    algorithm,
    ...(revoked.length === 0 ? {} : { revoked: [...revoked].sort().join("\n") }),
  };
}

/**
 * Reads the data of the ConfigMap.
 *
 * @throws ZodError where it is none
 */
export function parseIssuingPolicy(data: unknown): IssuingPolicy {
  const { revoked = [], ...policy } = schema.parse(data);
  return { ...policy, revoked };
}
