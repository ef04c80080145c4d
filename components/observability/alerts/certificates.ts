import { FROM_SIDECARS, type Mesh } from "../../../mesh";
import { controllerMetrics, told, type AlertGroup, type AlertRule } from "./rule";

/** When Envoy says that what it serves ends, in seconds since 1970. */
const END = "envoy_listener_ssl_certificate_expiration_unix_time_seconds";
const DAY = 86_400;

/**
 * Whether certificates are made anew in time, as sidecars serve them and not as they lie in Secrets. Those that issuers make live for hours: of them it counts whether they are overdue,
 * which the controller tells. The rules are the same whether there are issuers or not, so that Prometheus goes on when they are switched on.
 *
 * @param validityDays life of a leaf of Pulumi's. It is due in its last third, so what comes near its end was forgotten.
 */
export function certificateAlerts(mesh: Mesh, validityDays: number): AlertGroup {
  const of = controllerMetrics(mesh);
  const end = (kind: string, by: string) => `min by (${by}) (${END}{${FROM_SIDECARS}, envoy_tls_certificate${kind}})`;
  const leafEnd = end('="leaf"', "zone, service, pod");
  const leaves = `${leafEnd} - time()`;
  const roots = `${end('=~"trust/.+"', "envoy_tls_certificate")} - time()`;
  const pulumis = of === undefined ? leaves : `(${leaves} unless on (zone, service) ${issuersLeaves(of)})`;
  const share = (days: number) => Math.round(Math.min(days, validityDays / 6) * DAY);
  const leaf = (name: string, severity: AlertRule["severity"], seconds: number): AlertRule => ({
    name,
    severity,
    expression: `0 < ${pulumis} < ${String(seconds)}`,
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
      ...(of === undefined ? [] : toldByController(of, leafEnd)),
      root("LucidRootEndsSoon", "warning", 90),
      root("LucidRootEndsNow", "critical", 14),
    ],
  };
}

type ControllerMetric = NonNullable<ReturnType<typeof controllerMetrics>>;

/** Services whose certificates issuers make; still known while the controller is away. */
function issuersLeaves(of: ControllerMetric): string {
  const renewal = `max_over_time(${of("lucid_controller_certificate_renewal_timestamp_seconds")}[1h])`;
  return `max by (zone, service) (${told(renewal)})`;
}

function toldByController(of: ControllerMetric, leafEnd: string): AlertRule[] {
  const issued = `max by (zone, service) (${told(of("lucid_controller_certificate_expiry_timestamp_seconds"))})`;
  return [
    {
      name: "LucidCertificateOverdue",
      severity: "critical",
      expression: `max by (zone) (${told(of("lucid_controller_certificates_overdue"))}) > 0`,
      for: "5m",
      summary: "The issuer of {{ $labels.zone }} did not make {{ $value }} certificates anew when they were due",
    },
    {
      name: "LucidCertificateNotServed",
      severity: "critical",
      expression: `${leafEnd} < on (zone, service) group_left () ${issued}`,
      for: "15m",
      summary: "{{ $labels.pod }} goes on with its old certificate, though its service was given another",
    },
  ];
}
