/**
 * The shape of `mesh.yaml`: keys, types, defaults and what can be said about one value alone. What concerns several values stands in checks/.
 * The JSON Schema for editors (mesh.schema.json) is made from this source, so every key has its description here.
 *
 * An error text is `what is wrong; mend`.
 */
import { z } from "zod";
import { MAX_SERVICE_NAME } from "./names";
import { ZONES } from "./model";

/** The version of the document's format. */
export const API_VERSION = "mesh.lucid.internal/v1";

/** What a port may speak. */
export const PROTOCOLS = ["http", "http2", "grpc", "websocket", "tcp"] as const;

/** HTTP methods that a rule may name. */
export const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;

/** Resources of an application that declares none. */
export const DEFAULT_RESOURCES = { requests: { cpu: "50m", memory: "64Mi" }, limits: { memory: "128Mi" } } as const;

const serviceName = z
  .string()
  .max(MAX_SERVICE_NAME, { error: `a service's name has ${String(MAX_SERVICE_NAME)} characters at most; shorten it` })
  .regex(/^[a-z]([a-z0-9-]*[a-z0-9])?$/, {
    error: "a name is a DNS label; use lower-case letters, digits and '-', beginning with a letter",
  });

const portName = z
  .string()
  .max(15, { error: "a port's name has 15 characters at most; shorten it" })
  .regex(/^[a-z]([a-z0-9-]*[a-z0-9])?$/, {
    error: "a port's name is a DNS label; use lower-case letters, digits and '-', beginning with a letter",
  });

const portNumber = z
  .int({ error: (issue) => `${article(issue.input)} is no port number; write a whole number from 1 to 65535` })
  .min(1, { error: "the port is out of range; write a number from 1 to 65535" })
  .max(65535, { error: "the port is out of range; write a number from 1 to 65535" });

const cpu = z.string().regex(/^(\d+m|\d+(\.\d{1,3})?)$/, {
  error: "this is no amount of CPU; write it as '50m' or '0.5', in quotes",
});

const memory = z.string().regex(/^\d+(Ki|Mi|Gi|K|M|G)?$/, {
  error: "this is no amount of memory; write it as '64Mi' or '1Gi'",
});

const rulePath = z
  .string()
  .regex(/^\//, { error: "a path begins with '/'; write it from the root" })
  .regex(/^[A-Za-z0-9._~!$&'()+,=:@/*-]*$/, {
    error: "the path has a character that a rule can't match safely ('%', '\\', ';', '?', '#', blank); leave it out",
  })
  .regex(/^[^*]*\*?$/, { error: "'*' stands at the end of a path only; write a prefix and one '*'" })
  .refine((path) => !path.includes("//") && !/\.\.|\/\.(\/|\*?$)/.test(path), {
    error: "'..', '/./' and '//' never match, as paths are normalized first; write the path that is meant",
  })
  .max(256, { error: "a path has 256 characters at most; use a prefix that ends in '*'" });

const methods = z.array(z.enum(METHODS)).min(1, { error: "the list is empty; name a method, or leave the key out" });
const paths = z.array(rulePath).min(1, { error: "the list is empty; name a path, or leave the key out" });

const httpPath = z
  .string()
  .regex(/^\/[A-Za-z0-9._~!$&'()+,;=:@/?%-]*$/, { error: "this is no path; write it from the root, as '/health'" })
  .max(256, { error: "a path has 256 characters at most; shorten it" });

const zone = z.strictObject({
  members: z
    .array(serviceName)
    .default([])
    .describe("The closed list of the services that may be in this zone. What is not listed is refused."),
});

const port = z.strictObject({
  name: portName.describe("A DNS label of 15 characters at most, unique in the service."),
  port: portNumber.describe("Where the application listens, on 127.0.0.1."),
  protocol: z
    .enum(PROTOCOLS)
    .default("http")
    .describe("What the port speaks. Methods and paths can be required on all but `tcp`."),
  dialPort: portNumber
    .optional()
    .describe("Where callers dial `<service>.lucid.internal`. The first port has 80; further ports must say theirs."),
});

const health = z.strictObject({
  path: httpPath.default("/health").describe("Asked by GET; 200 means ready."),
  port: z
    .union([portName, portNumber])
    .optional()
    .describe("Name of a declared port, or a number that only health checks use. Default: the first HTTP port."),
});

const resources = z.strictObject({
  requests: z
    .strictObject({
      cpu: cpu.default(DEFAULT_RESOURCES.requests.cpu).describe("CPU asked for, as a Kubernetes quantity."),
      memory: memory.default(DEFAULT_RESOURCES.requests.memory).describe("Memory asked for, as a Kubernetes quantity."),
    })
    .prefault({})
    .describe("What the scheduler keeps free for it."),
  limits: z
    .strictObject({
      memory: memory.default(DEFAULT_RESOURCES.limits.memory).describe("Memory at which the application is ended."),
    })
    .prefault({})
    .describe("What it may use at most; CPU is never limited."),
});

const rule = z.strictObject({
  methods: methods.optional().describe("HTTP methods allowed. Default: any."),
  paths: paths.optional().describe("Paths allowed, after normalization; a trailing `*` makes a prefix. Default: any."),
});

const call = z.strictObject({
  service: serviceName.describe("The callee's name."),
  ports: z
    .array(portName)
    .min(1, { error: "the list is empty; name a port, or leave the key out for the callee's first port" })
    .optional()
    .describe("Names of the callee's ports. Default: its first port."),
  reason: z
    .string()
    .regex(/\S.*\S/s, { error: "the reason is empty; say why the call is needed" })
    .max(300, { error: "a reason has 300 characters at most; shorten it" })
    .optional()
    .describe("Why the call is needed. Required where it crosses zones."),
  methods: methods.optional().describe("HTTP methods allowed: with `paths`, one rule. Default: any."),
  paths: paths
    .optional()
    .describe("Paths allowed; a trailing `*` makes a prefix: with `methods`, one rule. Default: any."),
  rules: z
    .array(rule)
    .min(1, { error: "the list is empty; say a rule, or leave the key out" })
    .optional()
    .describe("Several rules, of which one must match; instead of `methods` and `paths`."),
});

const service = z.strictObject({
  name: serviceName.describe("A DNS label, unique in the mesh: the name of its account, workload and registration."),
  plane: z
    .enum(ZONES)
    .describe("The plane (ops, chain, wallet) or infrastructure zone (mesh, edge) that it belongs to."),
  component: z
    .boolean()
    .default(false)
    .describe("A component of the package renders the pod (prometheus, jaeger, mesh-controller)."),
  image: z.string().optional().describe("The application's image, with a tag (never `latest`) or a digest."),
  command: z.array(z.string()).min(1).optional().describe("Replaces the image's entry point."),
  args: z.array(z.string()).default([]).describe("Arguments of the application."),
  env: z
    .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string())
    .default({})
    .describe("Environment variables of the application; no secrets."),
  version: z
    .string()
    .regex(/^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/, {
      error: "this is no version; use letters, digits, '.', '-' and '_', 63 at most, and quotes",
    })
    .default("0.0.0")
    .describe("The application's version, shown in its registration's tags and as a label."),
  replicas: z
    .int({ error: "this is no number of pods; write a whole number" })
    .min(0, { error: "the number of pods is negative; write 0 or more" })
    .max(500, { error: "a service has 500 pods at most; write less" })
    .default(1)
    .describe("How many pods run."),
  ports: z
    .array(port)
    .min(1, { error: "a service without a port can't be in the mesh; declare one" })
    .describe("The application's ports; the first is the default of a call."),
  health: health.prefault({}).describe("How its readiness is asked."),
  resources: resources.prefault({}).describe("Requests and limits of the application's container."),
  address: z
    .string()
    .optional()
    .describe(
      "Its loopback address in callers' pods, in 127.64.0.0/10. Only needed where two names fall on one address.",
    ),
  calls: z.array(call).default([]).describe("Everything that it may call. What isn't declared is refused."),
});

/** The document, as zod reads it. */
export const meshDocumentSchema = z.strictObject({
  apiVersion: z.literal(API_VERSION).describe("The version of this format."),
  zones: z
    .strictObject({
      ops: zone.prefault({}).describe("Admin UI, monitoring, logging, metrics."),
      chain: zone.prefault({}).describe("Consensus and anchoring: lucid-blocks only."),
      wallet: zone.prefault({}).describe("Payments: tron-payment and payout-router only."),
      mesh: zone.prefault({}).describe("What the mesh itself needs."),
      edge: zone.prefault({}).describe("Ways in and out: Tor and its proxies."),
    })
    .describe("Who may be where."),
  services: z.array(service).describe("Every service of the mesh, with everything that it calls."),
});

/** A document without problems, all defaults that stand for themselves filled in. */
export type MeshDocument = z.output<typeof meshDocumentSchema>;
/** A service as declared. */
export type ServiceDeclaration = MeshDocument["services"][number];
/** A call as declared. */
export type CallDeclaration = ServiceDeclaration["calls"][number];
/** A port as declared. */
export type PortDeclaration = ServiceDeclaration["ports"][number];

/** The JSON Schema (draft 2020-12) of the document, for editors. */
export function meshJsonSchema(): Record<string, unknown> {
  return {
    ...z.toJSONSchema(meshDocumentSchema, { io: "input" }),
    title: "Lucid mesh document",
    description: "Every service of the mesh and every call between them.",
  };
}

function article(value: unknown): string {
  return value === undefined ? "nothing" : JSON.stringify(value);
}
