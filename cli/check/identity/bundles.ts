/** Whom the cluster's sidecars and its discovery backend trust, as it lies in their ConfigMaps and Secrets. */
import { AsnConvert } from "@peculiar/asn1-schema";
import { CertificateList } from "@peculiar/asn1-x509";
import { CORE_SCHEMA, load } from "js-yaml";
import type { X509Certificate } from "node:crypto";
import { ZONES, namespaceOf } from "../../../mesh";
import type { ZoneName } from "../../../mesh";
import { KINDS } from "../cluster/live";
import { titleOf } from "../cluster/objects";
import type { KubeObject } from "../cluster/objects";
import type { CheckContext } from "../context";
import { backendIn } from "../discovery";
import { certificatesIn, decoded } from "./leaves";

/** What one consumer trusts a zone by. */
export interface Bundle {
  /** ConfigMap or Secret. */
  readonly consumer: string;
  readonly zone: ZoneName;
  readonly roots: string;
  /** Revocation lists, as PEM; undefined for the discovery backend, which checks none. */
  readonly revocations?: string;
}

const ROOTS_FILE = "ca.crt";

/** Every bundle of the zones. @throws ClusterError where ConfigMaps or Secrets may not be read */
export async function readBundles(context: CheckContext): Promise<readonly Bundle[]> {
  const { live } = context;
  const { trust } = backendIn(context);
  const maps = await live.inZones(KINDS.configMaps);
  const sidecars = maps
    .filter(({ metadata }) => metadata.name.endsWith("-trust"))
    .flatMap((map) =>
      Object.entries(map.data ?? {}).flatMap(([file, text]): Bundle[] => {
        const zone = ZONES.find((one) => file === `${one}.yaml`);
        return zone === undefined ? [] : [{ consumer: titleOf(map), zone, ...trustIn(text) }];
      }),
    );
  const isIn =
    (names: readonly string[]) =>
    ({ metadata }: KubeObject) =>
      metadata.namespace === namespaceOf("mesh") && names.includes(metadata.name);
  const secrets = (await live.inZones(KINDS.secrets)).filter(isIn(trust.secrets));
  const discovery = [
    ...maps.filter(isIn(trust.configMaps)).map((map) => ({ object: map, roots: map.data?.[ROOTS_FILE] })),
    ...secrets.map((secret) => ({ object: secret, roots: decoded(secret, ROOTS_FILE) })),
  ];
  return [
    ...sidecars,
    ...discovery.flatMap(({ object, roots }): Bundle[] =>
      roots === undefined ? [] : [{ consumer: titleOf(object), zone: "mesh", roots }],
    ),
  ];
}

/** Roots of each zone that somebody trusts, by what most of the consumers have. */
export function rootsByZone(bundles: readonly Bundle[]): ReadonlyMap<ZoneName, readonly X509Certificate[]> {
  return new Map(
    ZONES.map((zone) => [
      zone,
      certificatesIn(mostOf(bundles.filter((one) => one.zone === zone).map(({ roots }) => roots))),
    ]),
  );
}

/** The text that most have. */
export function mostOf(texts: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return [...counts].sort(([, one], [, other]) => other - one)[0]?.[0] ?? "";
}

/** One authority's revocation list. */
export interface RevocationList {
  /** Common name of its authority. */
  readonly issuer: string;
  /** Serial numbers: lower-case hexadecimal, without leading zeros. */
  readonly serials: readonly string[];
  readonly nextUpdate: Date | undefined;
}

const LIST = /-----BEGIN X509 CRL-----([\s\S]+?)-----END X509 CRL-----/g;
const COMMON_NAME = "2.5.4.3";

/** The lists of a PEM text. @throws Error where one can't be read */
export function revocationListsIn(pem: string): readonly RevocationList[] {
  return [...pem.matchAll(LIST)].map(([, body = ""]) => {
    const { tbsCertList } = AsnConvert.parse(Buffer.from(body, "base64"), CertificateList);
    const names = tbsCertList.issuer.flatMap((parts) => [...parts]);
    return {
      issuer: names.find(({ type }) => type === COMMON_NAME)?.value.toString() ?? "",
      serials: (tbsCertList.revokedCertificates ?? []).map(({ userCertificate }) =>
        BigInt(`0x${Buffer.from(userCertificate).toString("hex")}`).toString(16),
      ),
      nextUpdate: tbsCertList.nextUpdate?.getTime(),
    };
  });
}

/** Roots and lists of a sidecar's trust file; empty where it is none. */
function trustIn(text: string): { readonly roots: string; readonly revocations: string } {
  try {
    const file = load(text, { schema: CORE_SCHEMA });
    return { roots: inlineOf(file, "trusted_ca"), revocations: inlineOf(file, "crl") };
  } catch {
    return { roots: "", revocations: "" };
  }
}

/** The inline text of the first field of that name, wherever it is. */
export function inlineOf(value: unknown, name: string): string {
  if (!isMap(value)) return "";
  for (const [key, inner] of Object.entries(value)) {
    const text = key === name && isMap(inner) ? inner.inline_string : undefined;
    const found = typeof text === "string" ? text : inlineOf(inner, name);
    if (found !== "") return found;
  }
  return "";
}

/** Lists too, whose items are looked through by their numbers. */
function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
