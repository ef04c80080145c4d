import { isAbsolute } from "node:path";
import { z } from "zod";

/** How the Consul server of this pod is asked. */
export interface ConsulSettings {
  /** Its HTTPS API, on the pod's loopback. */
  readonly address: URL;
  /** PEM file with the roots that may sign its certificate. */
  readonly caFile: string;
  /** Name that its certificate must bear. */
  readonly serverName: string;
  /** File with the token by which snapshots are taken. It may come later than the pod. */
  readonly tokenFile: string;
}

/** Everything that the container is told from outside. */
export interface SnapshotConfig {
  readonly consul: ConsulSettings;
  /** `<address>:<port>` by which Raft names this server when it leads. */
  readonly raftAddress: string;
  /** Folder of the snapshots, on a volume of its own. */
  readonly folder: string;
  /** Seconds between two snapshots. */
  readonly interval: number;
  /** Snapshots that are kept; older ones are removed once a newer one is verified. */
  readonly kept: number;
  /** Port on 127.0.0.1 at which metrics are served. */
  readonly metricsPort: number;
}

/** The settings can't be used; `message` lists every problem with its variable, one a line. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

const wholeNumber = (low: number, high: number) =>
  z.coerce
    .number({ error: "is no number" })
    .int({ error: "is no whole number" })
    .min(low, { error: `is below ${String(low)}` })
    .max(high, { error: `is above ${String(high)}` });

const file = z.string({ error: "is missing" }).refine(isAbsolute, { error: "is no absolute path" });

/** The token gives every right, so it goes to this pod's own server and, even there, under TLS. */
const ownServer = z
  .string({ error: "is missing; set it to https://127.0.0.1:8501" })
  .refine(
    (text) => URL.canParse(text) && /^https:\/\/(127\.0\.0\.1|localhost|\[::1\]):\d+\/?$/.test(new URL(text).href),
    { error: "is no https URL of this pod's loopback, such as https://127.0.0.1:8501" },
  )
  .transform((text) => new URL(text));

const schema = z.object({
  CONSUL_HTTP_ADDR: ownServer,
  CONSUL_CACERT: file,
  CONSUL_TLS_SERVER_NAME: z.string({ error: "is missing" }).min(1, { error: "is empty" }),
  CONSUL_HTTP_TOKEN_FILE: file,
  CONSUL_RAFT_ADDRESS: z
    .string({ error: "is missing; set it to <this pod's address>:8300" })
    .regex(/^.+:\d+$/, { error: "is no <address>:<port>" }),
  SNAPSHOTS_DIR: file,
  SNAPSHOT_INTERVAL: wholeNumber(1, 604_800).default(3600),
  SNAPSHOTS_KEPT: wholeNumber(1, 1000).default(24),
  SNAPSHOT_METRICS_PORT: wholeNumber(1, 65_535).default(9103),
});

/**
 * Reads the settings from the environment.
 *
 * @throws ConfigError with all problems at once
 */
export function parseConfig(env: Readonly<Record<string, string | undefined>>): SnapshotConfig {
  const parsed = schema.safeParse(env);
  if (!parsed.success)
    throw new ConfigError(parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("\n"));
  const value = parsed.data;
  return {
    consul: {
      address: value.CONSUL_HTTP_ADDR,
      caFile: value.CONSUL_CACERT,
      serverName: value.CONSUL_TLS_SERVER_NAME,
      tokenFile: value.CONSUL_HTTP_TOKEN_FILE,
    },
    raftAddress: value.CONSUL_RAFT_ADDRESS,
    folder: value.SNAPSHOTS_DIR,
    interval: value.SNAPSHOT_INTERVAL,
    kept: value.SNAPSHOTS_KEPT,
    metricsPort: value.SNAPSHOT_METRICS_PORT,
  };
}
