/** How issuing is named in the cluster: agreed between who gives the keys, who signs by them and who watches over both. */
import { ZONES, type ZoneName } from "../model";

/** What a zone's issuer is given, in the zone's own namespace. */
export const ISSUING = {
  /** Secret with the zone's issuing authority, `tls.crt`, and its key, `tls.key`. Nobody but the zone's issuer may read it, and no pod mounts it. */
  secret: "lucid-issuing-tls",
  /** ConfigMap that says for whom, how long and by which keys certificates are made. */
  policy: "lucid-issuing",
  /** Role by which the issuer does it, and its binding. */
  role: "lucid-issuer",
  /** Where an issuer says how it is: `GET /health`, `GET /metrics`. No NetworkPolicy lets anybody but its node in. */
  port: 8080,
  /** Value of `app.kubernetes.io/managed-by` on what issuers write. */
  manager: "lucid-issuer",
} as const;

/** Annotations of the ConfigMap `<service>-certificate`, which say of a certificate what may be known of it without reading its Secret. */
export const CERTIFICATE_RECORD = {
  /** Serial number, in lower-case hexadecimal without leading zeros: what is revoked by. */
  serial: "lucid.internal/certificate-serial",
  /** From when on it is made anew (RFC 3339). */
  renewal: "lucid.internal/certificate-renewal",
  /** Changes with the certificate. */
  digest: "lucid.internal/certificate-digest",
} as const;

/** `issuer-<zone>`: workload, account and Lease of a zone's issuer, in zone `mesh`. */
export function issuerOf(zone: ZoneName): string {
  return `issuer-${zone}`;
}

/** Of every zone, whether it has one or not. */
export const ISSUERS: readonly string[] = ZONES.map(issuerOf);

/** `<service>-certificate`: the ConfigMap in which an issuer says what certificate a service has. */
export function certificateRecordOf(service: string): string {
  return `${service}-certificate`;
}
