/** What the controller says of a `MeshService`. */
import { z } from "zod";

const instant = z.string().meta({ format: "date-time" });
const count = z.int().min(0).max(100_000);
const generation = z.int().min(0).max(Number.MAX_SAFE_INTEGER).meta({ format: "int64" });

/** In the form of `metav1.Condition`. @see https://github.com/kubernetes/community/blob/master/contributors/devel/sig-architecture/api-conventions.md#typical-status-properties */
const condition = z.strictObject({
  type: z
    .string()
    .max(316)
    .regex(/^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/)
    .describe("What it is about."),
  status: z.enum(["True", "False", "Unknown"]).describe("Whether it is so."),
  observedGeneration: generation.describe("Generation of the declaration that it was judged by."),
  lastTransitionTime: instant.describe("When its status changed last."),
  reason: z
    .string()
    .min(1)
    .max(1024)
    .regex(/^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/)
    .describe("Why, in one word for programs."),
  message: z.string().max(32_768).describe("Why, for people."),
});

const instances = z.strictObject({
  present: count.describe("Pods of the service that have an address and are not ending."),
  ready: count.describe("Those of them whose application passes its health check."),
  registered: count.describe("Those of the ready ones that callers find by the discovery backend."),
});

const certificate = z.strictObject({
  notAfter: instant.describe("When the certificate that was issued last runs out."),
  renewal: instant.optional().describe("From when on its zone's issuer makes it anew, where one does."),
});

export const meshServiceStatus = z
  .strictObject({
    observedGeneration: generation.optional().describe("Generation of the declaration that all this is about."),
    instances: instances.optional().describe("What runs as the service."),
    certificate: certificate.optional().describe("The service's certificate."),
    conditions: z
      .array(condition)
      .max(32)
      .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"] })
      .optional()
      .describe("What is to be so, and whether it is."),
  })
  .describe("What the mesh controller finds. It alone writes it.");

export type MeshServiceStatus = z.infer<typeof meshServiceStatus>;
export type Condition = z.infer<typeof condition>;
