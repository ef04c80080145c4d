import { FROM_SIDECARS } from "../../../mesh";
import type { AlertGroup, AlertRule } from "./rule";

/** When Envoy says that what it serves ends, in seconds since 1970. */
const END = "envoy_listener_ssl_certificate_expiration_unix_time_seconds";
const DAY = 86_400;

/**
 * Whether certificates are made anew in time, as sidecars serve them and not as they lie in Secrets.
 *
 * @param validityDays life of a leaf. It is due in its last third, so what comes near its end was forgotten.
 */
export function certificateAlerts(validityDays: number): AlertGroup {
  const left = (kind: string, by: string) =>
    `min by (${by}) (${END}{${FROM_SIDECARS}, envoy_tls_certificate${kind}}) - time()`;
  const leaves = left('="leaf"', "zone, service, pod");
  const roots = left('=~"trust/.+"', "envoy_tls_certificate");
  const share = (days: number) => Math.round(Math.min(days, validityDays / 6) * DAY);
  const leaf = (name: string, severity: AlertRule["severity"], seconds: number): AlertRule => ({
    name,
    severity,
    expression: `0 < ${leaves} < ${String(seconds)}`,
    for: "5m",
    summary: "The certificate of {{ $labels.pod }} ends in {{ $value | humanizeDuration }}",
  });
  const root = (name: string, severity: AlertRule["severity"], days: number): AlertRule => ({
    name,
    severity,
    expression: `${roots} < ${String(days * DAY)}`,
    for: "5m",
    summary: "A root of {{ $labels.envoy_tls_certificate }} ends in {{ $value | humanizeDuration }}",
  });
  return {
    name: "certificates",
    rules: [
      leaf("LucidCertificateEndsSoon", "warning", share(10)),
      leaf("LucidCertificateEndsNow", "critical", Math.round(share(10) / 5)),
      {
        name: "LucidCertificateEnded",
        severity: "critical",
        expression: `${leaves} <= 0`,
        summary: "The certificate of {{ $labels.pod }} has ended: nobody believes it any more",
      },
      root("LucidRootEndsSoon", "warning", 90),
      root("LucidRootEndsNow", "critical", 14),
    ],
  };
}
