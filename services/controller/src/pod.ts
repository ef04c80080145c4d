import { z } from "zod";
import { LABELS } from "../../../mesh/wire.js";
import type { ZoneName } from "../../../mesh/model.js";
import type { Registration } from "./registry/registration.js";

/** What the controller reads of a pod. */
export interface Pod {
  readonly name: string;
  readonly uid: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly serviceAccount: string;
  /** Node that runs it, once it is scheduled. */
  readonly node?: string;
  /** Pod IP, once it has one. */
  readonly address?: string;
  /** `Succeeded` or `Failed`: its containers have ended for good. */
  readonly finished: boolean;
  /** Its condition `Ready`: the application passed its health check through its sidecar. */
  readonly ready: boolean;
  /** Its deletion was asked for. */
  readonly terminating: boolean;
  /** What of its sidecar's objects was brought to it last; see `Distribution`. */
  readonly distributed?: string;
}

/** Annotation of a pod that names what was brought to it last. It means nothing but that kubelet looks again. */
export const DISTRIBUTED = "lucid.internal/distributed";

const schema = z.object({
  metadata: z.object({
    name: z.string().min(1),
    uid: z.string().min(1),
    labels: z.record(z.string(), z.string()).optional(),
    annotations: z.record(z.string(), z.string()).nullish(),
    deletionTimestamp: z.string().nullish(),
  }),
  spec: z.object({ nodeName: z.string().optional(), serviceAccountName: z.string().optional() }).optional(),
  status: z
    .object({
      phase: z.string().optional(),
      podIP: z.string().optional(),
      conditions: z.array(z.object({ type: z.string(), status: z.string() })).nullish(),
    })
    .optional(),
});

/**
 * Reads a pod as the Kubernetes API sends it.
 *
 * @throws ZodError where it is no pod
 */
export function parsePod(object: unknown): Pod {
  const { metadata, spec, status } = schema.parse(object);
  const distributed = metadata.annotations?.[DISTRIBUTED];
  return {
    name: metadata.name,
    uid: metadata.uid,
    labels: metadata.labels ?? {},
    serviceAccount: spec?.serviceAccountName ?? "",
    ...(spec?.nodeName === undefined || spec.nodeName === "" ? {} : { node: spec.nodeName }),
    ...(status?.podIP === undefined || status.podIP === "" ? {} : { address: status.podIP }),
    finished: status?.phase === "Succeeded" || status?.phase === "Failed",
    ready: status?.conditions?.some(({ type, status: value }) => type === "Ready" && value === "True") ?? false,
    terminating: metadata.deletionTimestamp !== undefined && metadata.deletionTimestamp !== null,
    ...(distributed === undefined ? {} : { distributed }),
  };
}

/** What a pod means to the registry. */
export type Assessment =
  | { readonly kind: "present"; readonly registration: Registration }
  /** It has no place in the registry now; that is nobody's mistake. */
  | { readonly kind: "absent"; readonly reason: string }
  /** It asks for a place that it may not have. */
  | { readonly kind: "refused"; readonly reason: string };

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/**
 * Decides whether a pod of `zone` belongs into the registry, and as what.
 *
 * The zone is that of the pod's namespace, never a label's; the service is the one whose service account the pod runs as, so
 * that nobody can draw a service's calls to a pod that could not present its identity.
 */
export function assess(pod: Pod, zone: ZoneName): Assessment {
  const service = pod.labels[LABELS.name] ?? "";
  const labelledZone = pod.labels[LABELS.zone];
  if (pod.labels[LABELS.meshed] !== "true") {
    return { kind: "absent", reason: "not meshed" };
  }
  if (pod.labels[LABELS.completes] === "true") {
    return { kind: "absent", reason: "runs to completion: nobody calls it" };
  }
  if (pod.terminating) {
    return { kind: "absent", reason: "terminating" };
  }
  if (pod.finished) {
    return { kind: "absent", reason: "finished" };
  }
  if (!DNS_LABEL.test(service)) {
    return {
      kind: "refused",
      reason: `label ${LABELS.name} must be the service's name, not ${JSON.stringify(service)}`,
    };
  }
  if (labelledZone !== undefined && labelledZone !== zone) {
    return {
      kind: "refused",
      reason: `label ${LABELS.zone} says ${JSON.stringify(labelledZone)}, but its namespace belongs to ${zone}`,
    };
  }
  if (pod.serviceAccount !== service) {
    return {
      kind: "refused",
      reason: `it runs as service account ${JSON.stringify(pod.serviceAccount)}, not as ${service}, whose name it bears`,
    };
  }
  if (pod.address === undefined) {
    return { kind: "absent", reason: "no address yet" };
  }
  return {
    kind: "present",
    registration: {
      zone,
      pod: pod.name,
      uid: pod.uid,
      service,
      address: pod.address,
      version: pod.labels[LABELS.version] ?? "",
      ready: pod.ready,
    },
  };
}
