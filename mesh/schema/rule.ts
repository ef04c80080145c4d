/** What of a request can be required: its method and its path, or its gRPC method. */
import { z } from "zod";
import { GRPC_METHOD } from "../grpc";

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

export const grpcMethods = z
  .array(
    z
      .string()
      .regex(GRPC_METHOD, {
        error: "this is no gRPC method; write 'package.Service/Method', or 'package.Service/*' for all of a service",
      })
      .max(256, { error: "a gRPC method has 256 characters at most; name the service's methods by '*'" }),
  )
  .min(1, { error: "the list is empty; name a gRPC method, or leave the key out" });

export const rule = z.strictObject({
  methods: methods.optional().describe("HTTP methods allowed. Default: any."),
  paths: paths.optional().describe("Paths allowed, after normalization; a trailing `*` makes a prefix. Default: any."),
  grpc: grpcMethods
    .optional()
    .describe(
      "gRPC methods allowed, `package.Service/Method` or `package.Service/*`; instead of `methods` and `paths`.",
    ),
});
