/** What an issuer reads and writes at the Kubernetes API. */
import { z } from "zod";
import { certificateRecordOf, CERTIFICATE_RECORD, ISSUING } from "../../../../mesh/issuing/index.js";
import { MESH_SERVICE } from "../../../../mesh/custom-resource/index.js";
import type { ZoneName } from "../../../../mesh/model.js";
import { namespaceOf, objectNames } from "../../../../mesh/names.js";
import { CERTIFICATE_END, LABELS, PART_OF } from "../../../../mesh/wire.js";
import type { IssuedLeaf } from "./certificate.js";
import type { LeafRecord } from "./judgement.js";

/** Values of a Secret, decoded. */
export type SecretData = Readonly<Record<string, string>>;

/** A Secret or ConfigMap as it was read. */
export interface Found<Data> {
  readonly version: string;
  readonly type: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** UIDs of those whose end is its end. */
  readonly owners: readonly string[];
  readonly data: Data;
}

/** A service as it is declared, as far as its certificate depends on it. */
export interface DeclaredIdentity {
  readonly name: string;
  readonly uid: string;
  readonly zone: string;
  readonly identity: string;
  readonly isRevoked: boolean;
}

const texts = z.record(z.string(), z.string()).nullish();

const found = z.object({
  metadata: z.object({
    resourceVersion: z.string().min(1),
    labels: texts,
    annotations: texts,
    ownerReferences: z.array(z.object({ uid: z.string() })).nullish(),
  }),
  type: z.string().optional(),
  data: texts,
});

const declared = z.object({
  metadata: z.object({ name: z.string().min(1), uid: z.string().min(1) }),
  spec: z.object({ zone: z.string(), identity: z.string(), revoked: z.string().optional() }),
});

/** @throws Error where it is none; its message holds nothing of what was read */
export function readConfigMap(object: unknown): Found<Readonly<Record<string, string>>> {
  const read = found.safeParse(object);
  if (!read.success) {
    throw new Error("the API server's answer is no ConfigMap or Secret");
  }
  const { metadata, type, data } = read.data;
  return {
    version: metadata.resourceVersion,
    type,
    labels: metadata.labels ?? {},
    annotations: metadata.annotations ?? {},
    owners: (metadata.ownerReferences ?? []).map(({ uid }) => uid),
    data: data ?? {},
  };
}

/** @throws as `readConfigMap` */
export function readSecret(object: unknown): Found<SecretData> {
  const secret = readConfigMap(object);
  const decoded = Object.entries(secret.data).map(
    ([name, text]) => [name, Buffer.from(text, "base64").toString("utf8")] as const,
  );
  return { ...secret, data: Object.fromEntries(decoded) };
}

/** @throws ZodError where it is no `MeshService` */
export function readDeclared(object: unknown): DeclaredIdentity {
  const { metadata, spec } = declared.parse(object);
  return {
    name: metadata.name,
    uid: metadata.uid,
    zone: spec.zone,
    identity: spec.identity,
    isRevoked: spec.revoked !== undefined,
  };
}

export const SECRET_TYPE = "kubernetes.io/tls";

export const paths = {
  secrets: (zone: ZoneName) => `/api/v1/namespaces/${namespaceOf(zone)}/secrets`,
  configMaps: (zone: ZoneName) => `/api/v1/namespaces/${namespaceOf(zone)}/configmaps`,
  authority: (zone: ZoneName) => `${paths.secrets(zone)}/${ISSUING.secret}`,
  policy: (zone: ZoneName) => `${paths.configMaps(zone)}/${ISSUING.policy}`,
  leaf: (zone: ZoneName, service: string) => `${paths.secrets(zone)}/${objectNames(service).certificate}`,
  record: (zone: ZoneName, service: string) => `${paths.configMaps(zone)}/${certificateRecordOf(service)}`,
} as const;

/** What stands of metadata on everything that an issuer writes. The end of a service's declaration is the end of it. */
function metadataOf(name: string, zone: ZoneName, service: DeclaredIdentity) {
  return {
    name,
    namespace: namespaceOf(zone),
    labels: labelsOf(zone, service.name),
    ownerReferences: [
      { apiVersion: MESH_SERVICE.apiVersion, kind: MESH_SERVICE.kind, name: service.name, uid: service.uid },
    ],
  };
}

function labelsOf(zone: ZoneName, service: string): Record<string, string> {
  return {
    [LABELS.name]: service,
    [LABELS.partOf]: PART_OF,
    [LABELS.zone]: zone,
    [LABELS.managedBy]: ISSUING.manager,
  };
}

/** Whether an object bears the labels and the owner under which an issuer writes it. */
export function isOwn(object: Found<unknown>, zone: ZoneName, service: DeclaredIdentity): boolean {
  const labels = Object.entries(labelsOf(zone, service.name));
  return (
    labels.every(([label, value]) => object.labels[label] === value) &&
    object.owners.length === 1 &&
    object.owners[0] === service.uid
  );
}

/** The Secret of a leaf: key, certificate and chain in one write. */
export function leafSecret(zone: ZoneName, service: DeclaredIdentity, { chainPem, keyPem }: IssuedLeaf) {
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: metadataOf(objectNames(service.name).certificate, zone, service),
    type: SECRET_TYPE,
    data: { "tls.crt": base64(chainPem), "tls.key": base64(keyPem) },
  };
}

/** What may be known of a leaf by those who may not read its Secret. */
export function leafRecord(zone: ZoneName, service: DeclaredIdentity, record: LeafRecord) {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: {
      ...metadataOf(certificateRecordOf(service.name), zone, service),
      annotations: recordAnnotations(record),
    },
  };
}

export function recordAnnotations({ digest, serial, notAfter, renewal }: LeafRecord): Record<string, string> {
  return {
    [CERTIFICATE_RECORD.digest]: digest,
    [CERTIFICATE_RECORD.serial]: serial,
    [CERTIFICATE_RECORD.renewal]: instant(renewal),
    [CERTIFICATE_END]: instant(notAfter),
  };
}

function instant(time: number): string {
  return new Date(time).toISOString().replace(/\.\d+Z$/, "Z");
}

function base64(text: string): string {
  return Buffer.from(text, "utf8").toString("base64");
}
