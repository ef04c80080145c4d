/** Versions of a service that run side by side, and how calls are shared between them. */
import { z } from "zod";
import { MAX_VERSION_NAME } from "../names";
import { methods, paths } from "./rule";
import { applicationArgs, applicationCommand, applicationEnv, replicas, resources } from "./workload";

export const versionName = z
  .string()
  .max(MAX_VERSION_NAME, {
    error: `a version's name has ${String(MAX_VERSION_NAME)} characters at most; shorten it`,
  })
  .regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/, {
    error: "a version's name is a DNS label; use lower-case letters, digits and '-', as 'canary' or 'v1-4'",
  });

const weight = z
  .int({ error: "this is no percentage; write a whole number from 0 to 100" })
  .min(0, { error: "a weight is a percentage; write a whole number from 0 to 100" })
  .max(100, { error: "a weight is a percentage; write a whole number from 0 to 100" });

export const version = z.strictObject({
  name: versionName.describe(
    "A DNS label, unique in the service: the label of its pods, and the tag of its instances.",
  ),
  image: z.string().optional().describe("The version's image, with a tag (never `latest`) or a digest."),
  command: applicationCommand.optional().describe("Replaces the image's entry point. Default: the service's."),
  args: applicationArgs.optional().describe("Arguments of the application. Default: the service's."),
  env: applicationEnv.optional().describe("Environment variables of the application. Default: the service's."),
  replicas: replicas.default(1).describe("How many pods of this version run."),
  resources: resources.optional().describe("Requests and limits of the container. Default: the service's."),
  weight: weight
    .optional()
    .describe("Its share of the calls, in percent; those of a service's versions make 100. Default: by its pods."),
});

/** Weights by version, at a call. */
export const weights = z.record(z.string(), weight);

const headerName = z
  .string()
  .max(64, { error: "a header's name has 64 characters at most; shorten it" })
  .regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/, {
    error: "this is no header's name; write it in small letters, as 'x-canary'",
  })
  .refine((name) => name !== "host" && !name.startsWith("x-envoy-") && name !== "x-forwarded-client-cert", {
    error: "this header never reaches a route as the application sent it; take another",
  });

const headerValue = z
  .string()
  .max(128, { error: "a header's value has 128 characters at most; shorten it" })
  .regex(/^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/, {
    error: "this can't be a header's whole value; write plain text (printable ASCII)",
  });

export const route = z.strictObject({
  version: versionName.describe("The version that these requests go to."),
  methods: methods.optional().describe("HTTP methods, of which the request has one. Default: any."),
  paths: paths.optional().describe("Paths, of which the request has one; a trailing `*` makes a prefix. Default: any."),
  headers: z
    .record(headerName, headerValue)
    .optional()
    .describe("Headers that the request must all have, with these whole values. Default: any."),
});

/** Routes in the order in which they are tried. */
export const routes = z
  .array(route)
  .min(1, { error: "the list is empty; say a route, or leave the key out" })
  .max(32, { error: "a list has 32 routes at most; leave some out" });
