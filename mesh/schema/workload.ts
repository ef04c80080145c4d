/** What runs as a service: its size and how its health is asked. */
import { z } from "zod";
import { portName, portNumber } from "./values";

/** Resources of an application that declares none. */
export const DEFAULT_RESOURCES = { requests: { cpu: "50m", memory: "64Mi" }, limits: { memory: "128Mi" } } as const;

export const cpu = z.string().regex(/^(\d+m|\d+(\.\d{1,3})?)$/, {
  error: "this is no amount of CPU; write it as '50m' or '0.5', in quotes",
});

export const memory = z.string().regex(/^\d+(Ki|Mi|Gi|K|M|G)?$/, {
  error: "this is no amount of memory; write it as '64Mi' or '1Gi'",
});

export const httpPath = z
  .string()
  .regex(/^\/[A-Za-z0-9._~!$&'()+,;=:@/?%-]*$/, { error: "this is no path; write it from the root, as '/health'" })
  .max(256, { error: "a path has 256 characters at most; shorten it" });

export const health = z.strictObject({
  path: httpPath.default("/health").describe("Asked by GET; 200 means ready."),
  port: z
    .union([portName, portNumber])
    .optional()
    .describe("Name of a declared port, or a number that only health checks use. Default: the first HTTP port."),
});

export const metrics = z.strictObject({
  path: httpPath
    .regex(/^[^?]*$/, { error: "what is asked for metrics has no query; write the path alone" })
    .default("/metrics")
    .describe("Asked by GET; answers in Prometheus' text format."),
  port: z
    .union([portName, portNumber])
    .optional()
    .describe("Name of a declared port, or a number that only Prometheus uses. Default: the first HTTP port."),
});

export const applicationCommand = z.array(z.string()).min(1);
export const applicationArgs = z.array(z.string());
export const applicationEnv = z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string());

export const owner = z
  .string()
  .trim()
  .min(1, { error: "nobody is named; write who answers for the pods, as 'Cluster 04, billing'" })
  .max(100, { error: "an owner has 100 characters at most; shorten it" });

export const replicas = z
  .int({ error: "this is no number of pods; write a whole number" })
  .min(0, { error: "the number of pods is negative; write 0 or more" })
  .max(500, { error: "a service has 500 pods at most; write less" });

export const resources = z.strictObject({
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
