/** A call that a service declares, and what it may ask. */
import { z } from "zod";
import { GRPC_METHOD } from "../grpc";
import { endOf } from "../instant";
import { callTraffic } from "./traffic";
import { portName, serviceName } from "./values";

/** HTTP methods that a rule may name. */
export const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;

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

export const methods = z
  .array(z.enum(METHODS))
  .min(1, { error: "the list is empty; name a method, or leave the key out" });
export const paths = z.array(rulePath).min(1, { error: "the list is empty; name a path, or leave the key out" });

const grpcMethods = z
  .array(
    z
      .string()
      .regex(GRPC_METHOD, {
        error: "this is no gRPC method; write 'package.Service/Method', or 'package.Service/*' for all of a service",
      })
      .max(256, { error: "a gRPC method has 256 characters at most; name the service's methods by '*'" }),
  )
  .min(1, { error: "the list is empty; name a gRPC method, or leave the key out" });

const rule = z.strictObject({
  methods: methods.optional().describe("HTTP methods allowed. Default: any."),
  paths: paths.optional().describe("Paths allowed, after normalization; a trailing `*` makes a prefix. Default: any."),
  grpc: grpcMethods
    .optional()
    .describe(
      "gRPC methods allowed, `package.Service/Method` or `package.Service/*`; instead of `methods` and `paths`.",
    ),
});

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
});
