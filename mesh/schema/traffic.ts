/** Resilience, as a service declares it for everybody who calls it, and as one call overrides it. Defaults: ../traffic/defaults.ts. */
import { z } from "zod";
import { DEFAULT_MAX_AMPLIFICATION } from "../traffic/defaults";
import { DURATION } from "../traffic/duration";
import { RETRY_CONDITIONS } from "../traffic/model";

const duration = z
  .string()
  .regex(DURATION, { error: "this is no duration; write it as '250ms', '15s' or '2m', in quotes" });

const limit = duration.refine((text) => !/^[0.]+(ms|s|m)$/.test(text), {
  error: "nothing lasts no time; write a longer duration, or leave the key out",
});

function count(least: number, most: number, unit: string) {
  const range = `from ${String(least)} to ${String(most)}`;
  return z
    .int({ error: `this is no number of ${unit}; write a whole number ${range}` })
    .min(least, { error: `this is too few ${unit}; write a whole number ${range}` })
    .max(most, { error: `this is too many ${unit}; write a whole number ${range}` });
}

const percent = count(1, 100, "percent");

const retries = z.strictObject({
  attempts: count(0, 10, "tries")
    .optional()
    .describe("Tries after the first; 0 turns them off. On `tcp`: tries to connect. Default: 2."),
  on: z
    .array(z.enum(RETRY_CONDITIONS))
    .min(1, { error: "the list is empty; name a condition, or leave the key out" })
    .optional()
    .describe(
      "Further conditions, for requests that may be repeated: idempotent methods, or all where `idempotent` says so. What never reached the application is always tried again.",
    ),
  idempotent: z
    .boolean()
    .optional()
    .describe(
      "Whether every request, whatever its method, means the same once or twice. gRPC needs it for `on`. Default: false.",
    ),
  perTryTimeout: limit.optional().describe("Time of one try. Default: the whole call's."),
  backoff: z
    .strictObject({
      base: limit.optional().describe("Mean of the first pause, doubled with each try. Default: 25ms."),
      max: limit.optional().describe("Longest pause. Default: 250ms."),
    })
    .optional()
    .describe("Pause before a further try, random up to twice its mean."),
  budget: z
    .strictObject({
      percent: percent.optional().describe("Retries under way, in percent of the requests under way. Default: 20."),
      minConcurrency: count(0, 1000, "retries").optional().describe("Retries always allowed at once. Default: 3."),
    })
    .optional()
    .describe("What all retries of one instance on this edge may be together."),
});

const circuitBreaker = z.strictObject({
  maxConnections: count(1, 100_000, "connections").optional().describe("Connections to the callee. Default: 1024."),
  maxPendingRequests: count(1, 100_000, "requests")
    .optional()
    .describe("Requests that wait for a connection. Default: 1024."),
  maxRequests: count(1, 100_000, "requests").optional().describe("Requests under way. Default: 4096."),
});

const outlierDetection = z.strictObject({
  consecutiveGatewayErrors: count(0, 1000, "answers")
    .optional()
    .describe("Answers 502, 503, 504 in a row. Default: 5."),
  consecutive5xxErrors: count(0, 1000, "answers").optional().describe("Any 5xx in a row. Default: 0, which is off."),
  consecutiveLocalErrors: count(0, 1000, "failures")
    .optional()
    .describe("Failures to connect or to answer in time, in a row. Default: 3."),
  interval: limit.optional().describe("How often those that are left out are looked at. Default: 5s."),
  baseEjectionTime: limit
    .optional()
    .describe("How long an instance is left out, times the number of times it was. Default: 5s."),
  maxEjectionTime: limit.optional().describe("Longest time to be left out. Default: 60s."),
  maxEjectionPercent: percent.optional().describe("Share of the instances left out at most. Default: 50."),
});

const rateLimit = z.strictObject({
  requestsPerSecond: count(1, 1_000_000, "requests").describe("What an instance takes from one caller, on average."),
  burst: count(1, 1_000_000, "requests")
    .optional()
    .describe("What it takes at once, after a silence. Default: the requests of one second."),
});

/** What a call may override, and a service may declare for all who call it. */
export const callTraffic = z.strictObject({
  timeout: duration
    .optional()
    .describe(
      "The whole call, all its tries; `0s`: none. Default: 15s on `http`, otherwise none (gRPC: the caller's own deadline).",
    ),
  retries: retries.optional().describe("What is tried again."),
  circuitBreaker: circuitBreaker.optional().describe("What one instance of a caller has open to the callee at most."),
  outlierDetection: outlierDetection.optional().describe("When an instance of the callee is left out."),
  rateLimit: rateLimit
    .optional()
    .describe(
      "What an instance takes from each caller, counted for each caller and port on its own. Default: no limit.",
    ),
});

/** What a service declares as callee. */
export const serviceTraffic = callTraffic.extend({
  connectionLimit: count(1, 10_000, "connections")
    .optional()
    .describe("Connections that an instance takes, for each port and caller zone on its own. Default: 4096."),
});

/** What holds for the whole document. */
export const documentTraffic = z.strictObject({
  maxAmplification: count(1, 1000, "requests")
    .default(DEFAULT_MAX_AMPLIFICATION)
    .describe(
      "Requests that one request may become at a callee, by the retries along any path of calls. More is an error.",
    ),
});

/** Traffic as a call declares it. */
export type DeclaredTraffic = z.output<typeof callTraffic>;
/** Traffic as a service declares it. */
export type DeclaredServiceTraffic = z.output<typeof serviceTraffic>;
