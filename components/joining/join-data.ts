/** What a stack that joins the mesh is told of its service: plain data without a secret, by which it renders the pods that the mesh expects. */
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import type { HealthCheck, Service, ServicePort, ZoneName } from "../../mesh";
import { PROTOCOLS, ZONES, firstPort, namespaceOf, podsAtOnce } from "../../mesh";
import { serviceName } from "../../mesh/schema/values";
import type { SidecarPod } from "../pods/sidecar-pod";

/**
 * Version of {@link JoinData}. It goes up when a stack that joins with an older package would render pods that the mesh no longer expects, so that it
 * can't.
 */
export const JOIN_FORMAT = 1;

/** Everything that the mesh's own stack says of one service whose pods another stack brings (`joinedBy` in the document). */
export interface JoinData {
  readonly format: typeof JOIN_FORMAT;
  /** Who brings the pods, as the document says. */
  readonly owner: string;
  readonly namespace: string;
  /** Pods at most: the sidecars of its peers are sized by it. */
  readonly replicas: number;
  /** Where the application listens, on 127.0.0.1; the first is the default of a call. */
  readonly ports: readonly [JoinedPort, ...JoinedPort[]];
  /** What kubelet asks through the sidecar. */
  readonly health: HealthCheck;
  readonly sidecar: JoinedSidecar;
}

export type JoinedPort = Pick<ServicePort, "name" | "port" | "protocol">;

/** What the service's sidecars are made from; which version its pods are is said by who brings them. */
export type JoinedSidecar = Omit<SidecarPod, "version">;

const text = z.string().min(1);
const count = z.int().min(0);
const port = z.strictObject({ name: text, port: z.int(), protocol: z.enum(PROTOCOLS) });
const amount = z.strictObject({ cpu: text, memory: text });

const sidecarSchema = z.strictObject({
  service: serviceName,
  zone: z.enum(ZONES),
  bootstrapDigest: z.string().regex(/^[0-9a-f]{16}$/, "is no digest"),
  images: z.strictObject({ envoy: text, startGate: text }),
  args: z.array(text).min(1),
  resources: z.strictObject({ requests: amount, limits: amount.omit({ cpu: true }) }),
  adminPort: z.int().min(1).max(65535),
  resolverAddress: z.ipv4(),
}) satisfies z.ZodType<JoinedSidecar>;

const joinDataSchema = z
  .strictObject({
    format: z.literal(JOIN_FORMAT),
    owner: text,
    namespace: text,
    replicas: count,
    ports: z.tuple([port], port),
    health: z.strictObject({ path: text, port: z.int() }),
    sidecar: sidecarSchema,
  })
  .refine(({ namespace, sidecar }) => namespace === namespaceOf(sidecar.zone), {
    error: "is not the namespace of the service's zone",
    path: ["namespace"],
  }) satisfies z.ZodType<JoinData>;

/** What the mesh's own stack says of a joined service. @throws RangeError where it has no port or no health check: the document was not checked */
export function joinDataOf(service: Service, owner: string, pod: SidecarPod): JoinData {
  const { health } = service;
  if (health === undefined) throw new RangeError(`'${service.name}' is joined, and has no health check`);
  const first = firstPort(service);
  const { zone, bootstrapDigest, images, args, resources, adminPort, resolverAddress } = pod;
  return {
    format: JOIN_FORMAT,
    owner,
    namespace: service.namespace,
    replicas: podsAtOnce(service),
    ports: [portOf(first), ...service.ports.slice(1).map(portOf)],
    health,
    sidecar: { service: service.name, zone, bootstrapDigest, images, args, resources, adminPort, resolverAddress },
  };
}

function portOf({ name, port, protocol }: ServicePort): JoinedPort {
  return { name, port, protocol };
}

/**
 * Reads what a mesh's stack said of one service. Nothing is taken for granted: it may come from a file, or from a stack of another release.
 *
 * @param source where it was read, for messages: `stack organization/lucid-mesh/dev`
 * @throws RunError with everything that is wrong, and the mend
 */
export function parseJoinData(value: unknown, service: string, source = "the join data"): JoinData {
  const format = formatOf(value);
  if (format !== undefined && format !== JOIN_FORMAT) {
    const older = typeof format === "number" && format < JOIN_FORMAT;
    const mend = older
      ? "have the mesh deployed by the release of the package that this stack uses, or use the mesh's"
      : "update @lucid/mesh in this stack to the release by which the mesh is deployed";
    throw new pulumi.RunError(
      `${source}: ${service} is told of in format ${JSON.stringify(format)}, and this package reads ${String(JOIN_FORMAT)}; ${mend}`,
    );
  }
  const result = joinDataSchema.safeParse(value);
  if (!result.success) {
    const lines = result.error.issues.map(({ path, message }) => `  ${[service, ...path].join(".")}: ${message}`);
    throw new pulumi.RunError(
      `${source}: what is told of ${service} can't be used; take the mesh stack's output 'joins' as it is\n${lines.join("\n")}`,
    );
  }
  if (result.data.sidecar.service !== service) {
    throw new pulumi.RunError(
      `${source}: '${service}' is told of as '${result.data.sidecar.service}'; take the mesh stack's output 'joins' as it is`,
    );
  }
  return result.data;
}

function formatOf(value: unknown): unknown {
  return typeof value === "object" && value !== null && "format" in value ? value.format : undefined;
}

/** A joined service, as far as its objects bear it in their names and labels. */
export function namedBy({ namespace, sidecar }: JoinData): { name: string; namespace: string; zone: ZoneName } {
  return { name: sidecar.service, namespace, zone: sidecar.zone };
}
