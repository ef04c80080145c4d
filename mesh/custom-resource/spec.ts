/** What a `MeshService` declares. The API server's schema, the program that writes it and the controller that reads it are made from this alone. */
import { z } from "zod";
import { ZONES } from "../model";

const DNS_LABEL = z
  .string()
  .max(63)
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/);
const text = (longest: number) => z.string().min(1).max(longest);
const count = z.int().min(0).max(100_000);

const port = z.strictObject({
  name: DNS_LABEL.describe("Name of the port, unique in the service."),
  port: z.int().min(1).max(65_535).describe("Where the application listens, on its pod's loopback."),
  protocol: z.enum(["http", "http2", "grpc", "websocket", "tcp"]).describe("What the port speaks."),
});

const metrics = z.strictObject({
  port: z.int().min(1).max(65_535).describe("Where the application is asked, on its pod's loopback."),
  path: text(256).describe("Asked by GET; Prometheus asks the sidecar for it by `GET /metrics`."),
});

const call = z.strictObject({
  service: DNS_LABEL.describe("The callee."),
  zone: z.enum(ZONES).describe("The callee's zone."),
  port: DNS_LABEL.describe("Name of the callee's port."),
  kind: z.enum(["call", "telemetry", "authentication"]).describe("Declared, or computed because the mesh needs it."),
  reason: text(4096).optional().describe("Why the call exists; always there where it crosses zones."),
  until: z.string().meta({ format: "date-time" }).optional().describe("From when on it is refused."),
});

const workload = z.strictObject({
  kind: z
    .enum(["application", "versions", "job", "component", "joined", "external"])
    .describe("What runs as the service: see `workload` in docs/configuration.md."),
  replicas: count
    .optional()
    .describe("Pods that there are to be; of a joined service, at most. None on a job, which ends by itself."),
  owner: text(256).optional().describe("Who brings the pods, where another stack does."),
});

export const meshServiceSpec = z
  .strictObject({
    zone: z.enum(ZONES).describe("Plane, or zone of the mesh's own parts."),
    identity: text(512).describe("The one URI in its certificate: its SPIFFE ID."),
    hostname: text(253).describe("What applications dial, and the certificate's common name."),
    version: text(63).describe(
      "Value of its pods' label app.kubernetes.io/version; of a service with several, their number.",
    ),
    workload: workload.describe("What runs as the service."),
    ports: z.array(port).max(100).meta(ATOMIC()).describe("What it offers; the first is the default of a call."),
    metrics: metrics.optional().describe("Where the application tells metrics of its own; absent where it tells none."),
    calls: z.array(call).max(2_000).meta(ATOMIC()).describe("Whom it may call. What is not listed is refused."),
    revoked: text(4096).optional().describe("Why nobody is to believe it any more; then nothing runs as it."),
  })
  .describe("What the mesh's document declares. Pulumi writes it; what others change, the next update puts right.");

/** What a `MeshService` declares. */
export type MeshServiceSpec = z.infer<typeof meshServiceSpec>;

/** One owner writes the list as a whole. */
function ATOMIC() {
  return { "x-kubernetes-list-type": "atomic" };
}
