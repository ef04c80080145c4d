/** The service that answers for callers: cluster 09. */
import { z } from "zod";
import { portName, serviceName } from "./values";

/** How long an answer is awaited, in milliseconds, unless declared. */
const TIMEOUT_MS = 500;

export const authentication = z.strictObject({
  service: serviceName.describe("The service that is asked: it serves `envoy.service.auth.v3.Authorization`."),
  port: portName.optional().describe("The port of that service, which speaks `grpc`. Default: its first that does."),
  timeoutMs: z
    .int({ error: "this is no number of milliseconds; write a whole number" })
    .min(10, { error: "no answer comes within less than 10 ms; write more" })
    .max(5000, { error: "a call would wait more than five seconds for leave; write less" })
    .default(TIMEOUT_MS)
    .describe("Milliseconds after which an answer that has not come counts as none: the call is refused."),
  headers: z
    .array(
      z.string().regex(/^[a-z0-9-]+$/, {
        error: "this is no header's name; use lower-case letters, digits and '-'",
      }),
    )
    .default([])
    .describe("Request headers that are shown to it, beside `x-request-id` and `traceparent`; no others are."),
});

export const asksAuthentication = z.boolean().optional();
