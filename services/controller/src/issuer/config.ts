import { isIP } from "node:net";
import { z } from "zod";
import { ISSUING } from "../../../../mesh/issuing/index.js";
import { ZONES, type ZoneName } from "../../../../mesh/model.js";
import { LOG_LEVELS, type LogLevel } from "../log.js";

/** Everything that an issuer is told from outside; what it issues stands in the zone's policy. */
export interface IssuerConfig {
  readonly zone: ZoneName;
  /** Seconds between two looks at every certificate. */
  readonly interval: number;
  readonly http: { readonly address: string; readonly port: number };
  readonly logLevel: LogLevel;
  /** Kubeconfig file; without one the pod's own service account is used. */
  readonly kubeconfig?: string;
}

const schema = z.object({
  ISSUER_ZONE: z.enum(ZONES, { error: `must be one of ${ZONES.join(", ")}` }),
  ISSUER_INTERVAL: z.coerce.number().int().min(1).max(3600).default(30),
  ISSUER_PORT: z.coerce.number().int().min(1).max(65535).default(ISSUING.port),
  BIND_ADDRESS: z
    .string()
    .refine((text) => isIP(text) !== 0, { error: "is no IP address" })
    .default("0.0.0.0"),
  LOG_LEVEL: z.enum(LOG_LEVELS, { error: `must be one of ${LOG_LEVELS.join(", ")}` }).default("info"),
  KUBECONFIG: z.string().min(1).optional(),
});

/**
 * Reads the settings from the environment.
 *
 * @throws Error with all problems at once, one a line
 */
export function parseIssuerConfig(env: Readonly<Record<string, string | undefined>>): IssuerConfig {
  const parsed = schema.safeParse(env);
  if (!parsed.success) {
    throw new Error(parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("\n"));
  }
  const { data } = parsed;
  return {
    zone: data.ISSUER_ZONE,
    interval: data.ISSUER_INTERVAL,
    http: { address: data.BIND_ADDRESS, port: data.ISSUER_PORT },
    logLevel: data.LOG_LEVEL,
    ...(data.KUBECONFIG === undefined ? {} : { kubeconfig: data.KUBECONFIG }),
  };
}
