/** Certificates as they lie in the cluster's Secrets. */
import { X509Certificate } from "node:crypto";
import { identityOf, LABELS, namespaceOf, objectNames, ZONES } from "../../../mesh";
import type { ZoneName } from "../../../mesh";
import { ISSUING, issuedServices, issuingZones } from "../../../mesh/issuing";
import { KINDS } from "../cluster/live";
import { titleOf } from "../cluster/objects";
import type { Secret } from "../cluster/objects";
import { declaredIn } from "../context";
import type { CheckContext } from "../context";
import { backendIn } from "../discovery";
import type { PlannedObject } from "../plan/declared";

/** A certificate that the plan has somebody bear. */
export interface Expected {
  readonly title: string;
  readonly service: string;
  readonly zone: ZoneName;
  /** SPIFFE ID. */
  readonly identity: string;
}

/** What lies where an expected certificate should. */
export interface Leaf extends Expected {
  readonly secret: Secret;
  readonly certificate: X509Certificate;
  /** What follows it: the authority that signed it. */
  readonly chain: readonly X509Certificate[];
  /** PEM. */
  readonly key: string;
}

/** What can be read of the mesh's certificates, and what can't. */
export interface Leaves {
  readonly leaves: readonly Leaf[];
  /** One line each. */
  readonly problems: readonly string[];
}

export const TLS_TYPE = "kubernetes.io/tls";

/** Reads every certificate that the plan has. @throws ClusterError where Secrets may not be read */
export async function readLeaves(context: CheckContext): Promise<Leaves> {
  const secrets = new Map((await context.live.inZones(KINDS.secrets)).map((one) => [titleOf(one), one]));
  const problems: string[] = [];
  const leaves = (await expected(context)).flatMap((wanted): Leaf[] => {
    const read = leafOf(wanted, secrets.get(wanted.title));
    if (typeof read !== "string") return [read];
    problems.push(`${wanted.title} ${read}`);
    return [];
  });
  return { leaves, problems };
}

async function expected(context: CheckContext): Promise<readonly Expected[]> {
  const secrets = await declaredIn(context).objects("Secret");
  const { bearers } = backendIn(context);
  const planned = secrets.filter(({ type, metadata }) => type === TLS_TYPE && metadata.name !== ISSUING.secret);
  const { datacenter } = declaredIn(context).settings;
  return [...planned.flatMap((secret) => expectedOf(secret, bearers, datacenter)), ...issued(context)];
}

/** Certificates that the zones' issuers make: the plan has none of their Secrets. */
function issued(context: CheckContext): readonly Expected[] {
  const { mesh, settings } = declaredIn(context);
  if (!settings.autoRotateCerts) return [];
  return issuingZones(mesh)
    .flatMap((zone) => issuedServices(mesh, zone))
    .map(({ name, namespace, zone, identity }) => ({
      title: `${namespace}/${objectNames(name).certificate}`,
      service: name,
      zone,
      identity,
    }));
}

function expectedOf(
  secret: PlannedObject,
  bearers: Readonly<Record<string, string>>,
  datacenter: string | undefined,
): readonly Expected[] {
  const { name, namespace, labels } = secret.metadata;
  const zone = ZONES.find((one) => namespaceOf(one) === namespace);
  const service = (zone === "mesh" ? bearers[name] : undefined) ?? labels?.[LABELS.name];
  if (zone === undefined || service === undefined) return [];
  const identity = identityOf(service, zone, datacenter);
  return [{ title: titleOf(secret), service, zone, identity }];
}

function leafOf(wanted: Expected, secret: Secret | undefined): Leaf | string {
  if (secret === undefined) return "is missing";
  const [pem, key] = [decoded(secret, "tls.crt"), decoded(secret, "tls.key")];
  if (pem === undefined || key === undefined) return "lacks tls.crt or tls.key";
  const [certificate, ...chain] = certificatesIn(pem);
  return certificate === undefined
    ? "holds no certificate that can be read"
    : { ...wanted, secret, certificate, chain, key };
}

/** A text of a Secret. */
export function decoded({ data = {} }: Secret, key: string): string | undefined {
  const value = data[key];
  return value === undefined ? undefined : Buffer.from(value, "base64").toString("utf8");
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/** The certificates of a PEM text; none where one of them can't be read. */
export function certificatesIn(pem: string): readonly X509Certificate[] {
  try {
    return (pem.match(CERTIFICATE) ?? []).map((text) => new X509Certificate(text));
  } catch {
    return [];
  }
}

/** Common name of a certificate's subject. */
export function commonNameOf({ subject }: X509Certificate): string {
  return /^CN=(.*)$/m.exec(subject)?.[1] ?? "";
}

const URI = /(?:^|, )URI:("(?:[^"\\]|\\.)*"|[^,]*)/g;

/** URIs among a certificate's names. */
export function urisOf({ subjectAltName = "" }: X509Certificate): readonly string[] {
  return [...subjectAltName.matchAll(URI)].map(([, uri = ""]) => uri);
}

/** What is left of a certificate's life, and the whole of it, in hours. */
export function lifeOf(
  { validFrom, validTo }: X509Certificate,
  now: Date,
): { readonly left: number; readonly whole: number; readonly begun: boolean } {
  const [from, to] = [Date.parse(validFrom), Date.parse(validTo)];
  return { left: (to - now.getTime()) / 3_600_000, whole: (to - from) / 3_600_000, begun: from <= now.getTime() };
}
