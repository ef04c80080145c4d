import { readFileSync } from "node:fs";
import { z } from "zod";
import { LOG_LEVELS, type LogLevel } from "../../log.js";
import { etcdEnvironment, type EtcdConnection } from "../settings.js";
import { accessSchema, type Access } from "./document.js";

/** Everything that the keeper of etcd's users is told from outside. */
export interface KeeperConfig {
  readonly etcd: EtcdConnection;
  readonly access: Access;
  /** Seconds between two looks. */
  readonly interval: number;
  /** Where `GET /health` is answered. */
  readonly port: number;
  readonly logLevel: LogLevel;
}

const schema = z.object({
  ETCD_ACCESS: z.string({ error: "is missing; set it to the file that says who may do what" }).transform(readAccess),
  ACCESS_INTERVAL: z.coerce.number().int().min(1).max(3600).default(5),
  ACCESS_PORT: z.coerce.number().int().min(1).max(65535).default(8080),
  LOG_LEVEL: z.enum(LOG_LEVELS, { error: `must be one of ${LOG_LEVELS.join(", ")}` }).default("info"),
});

/**
 * Reads the settings from the environment, and the file that they name.
 *
 * @throws Error with all problems at once, one a line
 */
export function parseKeeperConfig(env: Readonly<Record<string, string | undefined>>): KeeperConfig {
  const own = schema.safeParse(env);
  const etcd = etcdEnvironment.safeParse(env);
  if (!own.success || !etcd.success) {
    const issues = [...(own.error?.issues ?? []), ...(etcd.error?.issues ?? [])];
    throw new Error(issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("\n"));
  }
  const { ETCD_ACCESS, ACCESS_INTERVAL, ACCESS_PORT, LOG_LEVEL } = own.data;
  return { etcd: etcd.data, access: ETCD_ACCESS, interval: ACCESS_INTERVAL, port: ACCESS_PORT, logLevel: LOG_LEVEL };
}

function readAccess(file: string, context: z.RefinementCtx): Access {
  try {
    return accessSchema.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch (error) {
    const message = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    context.addIssue({ code: "custom", message: `${file} does not say who may do what: ${message}` });
    return z.NEVER;
  }
}
