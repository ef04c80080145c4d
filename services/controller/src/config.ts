import { isIP } from "node:net";
import { z } from "zod";
import { ZONES, type ZoneName } from "../../../mesh/model.js";
import { LOG_LEVELS, type LogLevel } from "./log.js";
import { REPAIRED_CLASSES, type RepairedClass } from "../../../mesh/declarations/index.js";
import { BACKEND_ENVIRONMENTS, type BackendName, type RegistrySettings } from "./registry/backends.js";

/** One zone that the controller keeps: pods of `namespace` are registered under `zone`, in that zone's name. */
export interface ZoneBinding {
  readonly namespace: string;
  readonly zone: ZoneName;
}

/** Everything the controller is told from outside. */
export interface ControllerConfig {
  readonly zones: readonly ZoneBinding[];
  /** Those of them that other stacks deploy, maybe later: until they have, the controller has no right there, and is well without. */
  readonly zonesElsewhere: readonly ZoneName[];
  readonly registry: RegistrySettings;
  readonly http: { readonly address: string; readonly port: number };
  /** Seconds that a node may leave its lease unrenewed before the instances on it lose their registration. */
  readonly registryTtl: number;
  /** Seconds between two comparisons of a zone with the registry. */
  readonly reconcileInterval: number;
  /** Where Prometheus is asked what it has seen of the calls; undefined where nobody is. */
  readonly prometheus?: URL;
  /** Forward proxies through which sidecars are inspected, by zone; those of other zones are not. */
  readonly inspection: ReadonlyMap<ZoneName, URL>;
  /** What is put right where it is not as it was declared; all else is told of. */
  readonly driftRepairs: readonly RepairedClass[];
  /** Seconds between two tries of the live canary at a pod; 0 where none is made. */
  readonly canaryInterval: number;
  /** Address of the node resolver, at which it tries its own way out; undefined: it doesn't. */
  readonly resolver?: string;
  readonly logLevel: LogLevel;
  /** Kubeconfig file; without one the pod's own service account is used. */
  readonly kubeconfig?: string;
}

/** Comparisons that may fail in a row before the registry counts as out of reach. */
const PATIENCE = 3;

/** Milliseconds without a successful answer after which the registry counts as out of reach. */
export function registryPatience({ reconcileInterval }: Pick<ControllerConfig, "reconcileInterval">): number {
  return PATIENCE * reconcileInterval * 1000 + 5_000;
}

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

const ipAddress = z.string().refine((text) => isIP(text) !== 0, { error: "is no IP address" });

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

const zoneNames = z.string().transform((text, context) =>
  text.split(",").flatMap((item) => {
    const zone = ZONES.find((known) => known === item.trim());
    if (zone !== undefined) return [zone];
    context.addIssue({ code: "custom", message: `${JSON.stringify(item)} is no zone of ${ZONES.join(", ")}` });
    return [];
  }),
);

/** Plain http: the sidecar beside it makes mutual TLS of it. */
const httpAddress = z.string().transform((text, context) => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (
    url?.protocol === "http:" &&
    url.username === "" &&
    url.password === "" &&
    url.pathname === "/" &&
    url.search === ""
  ) {
    return url;
  }
  context.addIssue({ code: "custom", message: `${JSON.stringify(text)} is not http://<name>[:<port>]` });
  return z.NEVER;
});

/** Plain http on loopback: the sidecar in the same pod. */
const forwardProxies = z.string().transform((text, context) => {
  const proxies = new Map<ZoneName, URL>();
  for (const part of text.split(",").map((item) => item.trim())) {
    const [, name, address = ""] = /^([a-z]+)=(.*)$/.exec(part) ?? [];
    const zone = ZONES.find((known) => known === name);
    const url = httpAddress.safeParse(address);
    if (zone === undefined || proxies.has(zone) || !url.success || !/^127\.|^\[::1\]$/.test(url.data.hostname)) {
      const message = `${JSON.stringify(part)} is not <zone>=http://127.0.0.1:<port>, once for a zone`;
      context.addIssue({ code: "custom", message });
    } else {
      proxies.set(zone, url.data);
    }
  }
  return proxies;
});

const repairedClasses = z.string().transform((text, context) =>
  (text === "none" ? [] : text.split(",")).flatMap((item) => {
    const known = REPAIRED_CLASSES.find((name) => name === item.trim());
    if (known !== undefined) return [known];
    const message = `${JSON.stringify(item)} is none of ${REPAIRED_CLASSES.join(", ")}`;
    context.addIssue({ code: "custom", message });
    return [];
  }),
);

const BACKENDS = Object.keys(BACKEND_ENVIRONMENTS) as BackendName[];

const schema = z.object({
  LUCID_NAMESPACES: zoneBindings,
  LUCID_ZONES_ELSEWHERE: zoneNames.optional(),
  DISCOVERY_BACKEND: z.enum(BACKENDS, { error: `must be one of ${BACKENDS.join(", ")}` }).default("consul"),
  BIND_ADDRESS: ipAddress.default("127.0.0.1"),
  SERVICE_MESH_CONTROLLER_PORT: wholeNumber(1, 65535).default(8080),
  SERVICE_REGISTRY_TTL: wholeNumber(MINIMUM_TTL, 3600).default(60),
  RECONCILE_INTERVAL: wholeNumber(1, 3600).default(15),
  PROMETHEUS_URL: httpAddress.optional(),
  INSPECTION_PROXIES: forwardProxies.optional(),
  DRIFT_REPAIRS: repairedClasses.optional(),
  CANARY_INTERVAL: wholeNumber(0, 3600).default(0),
  NODE_RESOLVER_ADDRESS: ipAddress.optional(),
  LOG_LEVEL: z.enum(LOG_LEVELS, { error: `must be one of ${LOG_LEVELS.join(", ")}` }).default("info"),
  KUBECONFIG: z.string().min(1).optional(),
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
  // Which other variables are needed depends on this one; where it is wrong, it alone is told.
  const chosen = schema.shape.DISCOVERY_BACKEND.safeParse(env.DISCOVERY_BACKEND);
  const registry = chosen.success ? BACKEND_ENVIRONMENTS[chosen.data].safeParse(env) : undefined;
  if (!parsed.success || registry?.success !== true) {
    const issues = [...(parsed.error?.issues ?? []), ...(registry?.error?.issues ?? [])];
    throw new ConfigError(issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("\n"));
  }
  const value = parsed.data;
  return {
    zones: value.LUCID_NAMESPACES,
    zonesElsewhere: value.LUCID_ZONES_ELSEWHERE ?? [],
    registry: registry.data,
    http: { address: value.BIND_ADDRESS, port: value.SERVICE_MESH_CONTROLLER_PORT },
    registryTtl: value.SERVICE_REGISTRY_TTL,
    reconcileInterval: value.RECONCILE_INTERVAL,
    inspection: value.INSPECTION_PROXIES ?? new Map(),
    driftRepairs: value.DRIFT_REPAIRS ?? [],
    canaryInterval: value.CANARY_INTERVAL,
    logLevel: value.LOG_LEVEL,
    ...(value.NODE_RESOLVER_ADDRESS === undefined ? {} : { resolver: value.NODE_RESOLVER_ADDRESS }),
    ...(value.PROMETHEUS_URL === undefined ? {} : { prometheus: value.PROMETHEUS_URL }),
    ...(value.KUBECONFIG === undefined ? {} : { kubeconfig: value.KUBECONFIG }),
  };
}
