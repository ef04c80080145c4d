/** What is kept of an object of the cluster, or of the discovery backend: what is compared, and who wrote it last. */
import { z } from "zod";
import { sidecarFilesOf, type SidecarFiles } from "../inspection/files.js";
import { hasSidecar } from "./pods.js";
import { textDigest, type ComparedKind, type DeclaredKind } from "../../../../mesh/declarations/index.js";

export interface Writer {
  /** Field manager: `kubectl-edit`, `pulumi-kubernetes-1a2b3c4d`. */
  readonly manager: string;
  /** RFC 3339. */
  readonly time: string;
}

export interface LiveObject {
  readonly kind: ComparedKind;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly uid: string;
  readonly version: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The fields that are compared, as JSON: one text costs a tenth of the objects that it says. */
  readonly fields: string;
  /** Who wrote it last, Kubernetes' own controllers apart. */
  readonly writer: Writer | undefined;
  /** A controller of Kubernetes' own makes it. */
  readonly owned: boolean;
  /** Of a ConfigMap with the files of a sidecar: what they say of themselves. */
  readonly files?: SidecarFiles;
  /** Of a pod: whether it has a sidecar. */
  readonly hasSidecar?: boolean;
  /** What somebody can do by it, for people, where that is told. */
  readonly gives?: string;
}

const managedFields = z.array(
  z.object({
    manager: z.string().default("unknown"),
    time: z.string().default(""),
    subresource: z.string().optional(),
  }),
);
const schema = z.object({
  metadata: z.object({
    name: z.string().min(1),
    namespace: z.string().optional(),
    uid: z.string().default(""),
    resourceVersion: z.string().default(""),
    labels: z.record(z.string(), z.string()).optional(),
    ownerReferences: z.array(z.object({ controller: z.boolean().optional() })).optional(),
    managedFields: managedFields.optional(),
  }),
});

/** Managers that write what follows from an object, and nothing of what is declared. */
const OF_KUBERNETES = ["kube-controller-manager", "kubelet", "kube-scheduler"];

/** @throws ZodError where it is no object */
export function parseLive(kind: DeclaredKind, object: unknown): LiveObject {
  const { metadata } = schema.parse(object);
  const body = object as Readonly<Record<string, unknown>>;
  const given = kind.fields.flatMap((field) => {
    const value = body[field];
    return value === undefined ? [] : [[field, kind.class === "configuration" ? digestsOf(value) : value] as const];
  });
  return {
    kind,
    namespace: metadata.namespace,
    name: metadata.name,
    uid: metadata.uid,
    version: metadata.resourceVersion,
    labels: metadata.labels ?? {},
    fields: JSON.stringify(Object.fromEntries(given)),
    writer: lastWriter(metadata.managedFields ?? []),
    owned: (metadata.ownerReferences ?? []).some(({ controller }) => controller === true),
    ...filesOf(kind, metadata.name, body.data),
    ...(kind.kind === "Pod" ? { hasSidecar: hasSidecar(body) } : {}),
  };
}

/** Who wrote an object last, as the API server noted it. */
export function lastWriter(entries: z.infer<typeof managedFields>): Writer | undefined {
  const writers = entries.filter(
    ({ manager, subresource }) => subresource === undefined && !OF_KUBERNETES.includes(manager),
  );
  const [last] = [...writers].sort((one, other) => (one.time < other.time ? 1 : -1));
  return last && { manager: last.manager, time: last.time };
}

function filesOf(kind: DeclaredKind, name: string, data: unknown): Pick<LiveObject, "files"> {
  const texts = kind.class === "configuration" ? z.record(z.string(), z.string()).safeParse(data) : undefined;
  const files = texts?.success === true ? sidecarFilesOf(name, texts.data) : undefined;
  return files === undefined ? {} : { files };
}

function digestsOf(data: unknown): Record<string, string> {
  const files = z.record(z.string(), z.string()).parse(data);
  return Object.fromEntries(Object.entries(files).map(([file, text]) => [file, textDigest(text)]));
}
