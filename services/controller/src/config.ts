import { isIP } from "node:net";
import { z } from "zod";
import { CONSUL } from "../../../mesh/wire.js";
import { ZONES, type ZoneName } from "../../../mesh/model.js";

/** One zone that the controller keeps: pods of `namespace` are registered under `zone`, with that zone's token. */
export interface ZoneBinding {
  readonly namespace: string;
  readonly zone: ZoneName;
}

/** Everything the controller is told from outside. */
export interface ControllerConfig {
  readonly zones: readonly ZoneBinding[];
  readonly consul: {
    readonly address: URL;
    /** PEM file with the roots that may sign Consul's certificate. Always there with https. */
    readonly caFile?: string;
    /** Name that Consul's certificate must bear. */
    readonly serverName: string;
    /** Folder with one file per zone, named for it, that holds the zone's token. */
    readonly tokensDirectory: string;
  };
  readonly http: { readonly address: string; readonly port: number };
  /** Seconds that a node may leave its lease unrenewed before the instances on it lose their registration. */
  readonly registryTtl: number;
  /** Seconds between two comparisons of a zone with Consul's catalogue. */
  readonly reconcileInterval: number;
  readonly logLevel: LogLevel;
  /** Kubeconfig file; without one the pod's own service account is used. */
  readonly kubeconfig?: string;
}

export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** kubelet renews a node's lease every 10 s; a shorter TTL would take healthy nodes for dead ones. */
const MINIMUM_TTL = 15;

const wholeNumber = (low: number, high: number): z.ZodType<number, string> =>
  z.string().transform((text, context) => {
    const value = /^[0-9]{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (Number.isNaN(value) || value < low || value > high) {
      context.addIssue({
        code: "custom",
        message: `${JSON.stringify(text)} is no whole number from ${String(low)} to ${String(high)}`,
      });
      return z.NEVER;
    }
    return value;
  });

const zoneBindings = z.string({ error: "is missing; set it to <namespace>=<zone>,…" }).transform((text, context) => {
  const bindings: ZoneBinding[] = [];
  for (const part of text.split(",").map((item) => item.trim())) {
    const [namespace = "", name = "", ...rest] = part.split("=");
    const zone = ZONES.find((known) => known === name);
    if (!/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(namespace) || zone === undefined || rest.length > 0) {
      context.addIssue({
        code: "custom",
        message: `${JSON.stringify(part)} is not <namespace>=<zone> with a zone of ${ZONES.join(", ")}`,
      });
    } else if (bindings.some((other) => other.namespace === namespace || other.zone === zone)) {
      context.addIssue({
        code: "custom",
        message: `${JSON.stringify(part)} names a namespace or zone twice; give each zone one namespace`,
      });
    } else {
      bindings.push({ namespace, zone });
    }
  }
  return bindings;
});

const consulAddress = z
  .string({ error: "is missing; set it to Consul's URL, https://<address>:8501" })
  .transform((text, context) => {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (url === undefined || !["https:", "http:"].includes(url.protocol)) {
      context.addIssue({
        code: "custom",
        message: `${JSON.stringify(text)} is no URL of the form https://<address>:8501`,
      });
      return z.NEVER;
    }
    if (url.protocol === "http:" && !/^(127(\.[0-9]+){3}|localhost|\[::1\])$/.test(url.hostname)) {
      context.addIssue({ code: "custom", message: "tokens never travel in clear text beyond loopback; use https" });
      return z.NEVER;
    }
    return url;
  });

const schema = z
  .object({
    LUCID_NAMESPACES: zoneBindings,
    CONSUL_HTTP_ADDR: consulAddress,
    CONSUL_CACERT: z.string().min(1).optional(),
    CONSUL_TLS_SERVER_NAME: z.string().min(1).default(`server.${CONSUL.datacenter}.consul`),
    CONSUL_TOKENS_DIR: z.string().min(1).default("/etc/consul/tokens"),
    BIND_ADDRESS: z
      .string()
      .refine((text) => isIP(text) !== 0, { error: "is no IP address" })
      .default("127.0.0.1"),
    SERVICE_MESH_CONTROLLER_PORT: wholeNumber(1, 65535).default(8080),
    SERVICE_REGISTRY_TTL: wholeNumber(MINIMUM_TTL, 3600).default(60),
    RECONCILE_INTERVAL: wholeNumber(1, 3600).default(15),
    LOG_LEVEL: z.enum(LOG_LEVELS, { error: `must be one of ${LOG_LEVELS.join(", ")}` }).default("info"),
    KUBECONFIG: z.string().min(1).optional(),
  })
  .superRefine((env, context) => {
    if (env.CONSUL_HTTP_ADDR.protocol === "https:" && env.CONSUL_CACERT === undefined) {
      context.addIssue({
        code: "custom",
        path: ["CONSUL_CACERT"],
        message: "is missing; set it to the PEM file with the roots of Consul's certificate",
      });
    }
  });

/** The settings can't be used; `message` lists every problem with its variable, one a line. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/**
 * Reads the settings from the environment.
 *
 * @throws ConfigError with all problems at once
 */
export function parseConfig(env: Readonly<Record<string, string | undefined>>): ControllerConfig {
  const parsed = schema.safeParse(env);
  if (!parsed.success) {
    throw new ConfigError(parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("\n"));
  }
  const value = parsed.data;
  return {
    zones: value.LUCID_NAMESPACES,
    consul: {
      address: value.CONSUL_HTTP_ADDR,
      ...(value.CONSUL_CACERT === undefined ? {} : { caFile: value.CONSUL_CACERT }),
      serverName: value.CONSUL_TLS_SERVER_NAME,
      tokensDirectory: value.CONSUL_TOKENS_DIR,
    },
    http: { address: value.BIND_ADDRESS, port: value.SERVICE_MESH_CONTROLLER_PORT },
    registryTtl: value.SERVICE_REGISTRY_TTL,
    reconcileInterval: value.RECONCILE_INTERVAL,
    logLevel: value.LOG_LEVEL,
    ...(value.KUBECONFIG === undefined ? {} : { kubeconfig: value.KUBECONFIG }),
  };
}
