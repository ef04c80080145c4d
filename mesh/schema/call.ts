/** A call that a service declares, and what it may ask. */
import { z } from "zod";
import { endOf } from "../instant";
import { grpcMethods, methods, paths, rule } from "./rule";
import { callTraffic } from "./traffic";
import { portName, serviceName } from "./values";
import { routes, weights } from "./version";

export const call = z.strictObject({
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
  grpc: grpcMethods
    .optional()
    .describe(
      "gRPC methods allowed, `package.Service/Method` or `package.Service/*`: one rule, instead of `methods` and `paths`.",
    ),
  rules: z
    .array(rule)
    .min(1, { error: "the list is empty; say a rule, or leave the key out" })
    .optional()
    .describe("Several rules, of which one must match; instead of `methods`, `paths` and `grpc`."),
  until: z
    .string({ error: "this is no date; write '2026-12-31' (that day included) or '2026-12-31T18:00:00Z'" })
    .refine((text) => endOf(text) !== undefined, {
      error: "this is no date of UTC; write '2026-12-31' (that day included) or '2026-12-31T18:00:00Z'",
    })
    .optional()
    .describe(
      "End of the call (UTC): a date, that day included, or a date and time. The callee's sidecar refuses it from then on. Default: none.",
    ),
  traffic: callTraffic
    .optional()
    .describe("Resilience of this call: each value in place of what the callee declares for everybody."),
  weights: weights
    .optional()
    .describe(
      "Share of this caller's calls that each version of the callee gets, in percent; instead of the callee's.",
    ),
  routes: routes
    .optional()
    .describe("Requests of this caller that go to one version, the first match; instead of the callee's."),
});
