import { z } from "zod";
import { meshServiceStatus, type MeshServiceStatus } from "../../../../mesh/custom-resource/index.js";

/** A call that a service may make, as its `MeshService` has it. */
export interface DeclaredCall {
  readonly service: string;
  readonly zone: string;
  readonly port: string;
  readonly kind: "call" | "telemetry" | "authentication";
  readonly reason?: string | undefined;
  readonly until?: string | undefined;
}

/** What the controller keeps of a `MeshService`: its ports it does not need. */
export interface DeclaredService {
  readonly name: string;
  /** Changes with every write. */
  readonly version: string;
  /** Changes with every change of the declaration. */
  readonly generation: number;
  /** Its one URI name in certificates. */
  readonly identity?: string;
  readonly workload: { readonly kind: string; readonly replicas?: number | undefined };
  /** Whom it may call. */
  readonly calls: readonly DeclaredCall[];
  /** Whether its application tells Prometheus metrics of its own. */
  readonly tellsMetrics: boolean;
  /** Why it is revoked. */
  readonly revoked?: string;
  /** What was last said of it; undefined where nothing was that can be read. */
  readonly status: MeshServiceStatus | undefined;
}

const call = z.object({
  service: z.string(),
  zone: z.string(),
  port: z.string(),
  kind: z.enum(["call", "telemetry", "authentication"]).catch("call"),
  reason: z.string().optional(),
  until: z.string().optional(),
});

const schema = z.object({
  metadata: z.object({ name: z.string().min(1), resourceVersion: z.string().min(1), generation: z.int().default(1) }),
  // Fields of a later version of the definition are nobody's error here.
  spec: z.object({
    identity: z.string().optional(),
    workload: z.object({ kind: z.string(), replicas: z.int().optional() }),
    calls: z.array(call).default([]),
    metrics: z.unknown().optional(),
    revoked: z.string().optional(),
  }),
  status: z.unknown().optional(),
});

/**
 * Reads a `MeshService` as the Kubernetes API sends it.
 *
 * @throws ZodError where it is none
 */
export function parseService(object: unknown): DeclaredService {
  const { metadata, spec, status } = schema.parse(object);
  const said = meshServiceStatus.safeParse(status);
  return {
    name: metadata.name,
    version: metadata.resourceVersion,
    generation: metadata.generation,
    ...(spec.identity === undefined ? {} : { identity: spec.identity }),
    workload: spec.workload,
    calls: spec.calls,
    tellsMetrics: spec.metrics !== undefined,
    ...(spec.revoked === undefined ? {} : { revoked: spec.revoked }),
    status: said.success ? said.data : undefined,
  };
}
