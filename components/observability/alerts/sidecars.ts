import { FROM_SIDECARS } from "../../../mesh";
import type { AlertGroup } from "./rule";

/** What is read live, by the beginning of what Envoy counts of it. */
const UPDATES = {
  listeners: "envoy_listener_manager_lds_update",
  clusters: "envoy_cluster_manager_cds_update",
  secrets: "envoy_sds_update",
  tokens: "envoy_extension_config_discovery_http_filter_identity_token_update",
} as const;

/** Whether sidecars are there, and run by the files that they should. */
export function sidecarAlerts(): AlertGroup {
  const prefixes = Object.values(UPDATES);
  const rejected = prefixes.map((prefix) => `${prefix}_rejected`).join("|");
  const unread = prefixes.map(
    (prefix) => `sum by (zone, service, pod) (increase(${prefix}_failure{${FROM_SIDECARS}}[10m]))`,
  );
  return {
    name: "sidecars",
    rules: [
      {
        name: "LucidSidecarUnseen",
        severity: "warning",
        expression: `up{${FROM_SIDECARS}} == 0`,
        for: "5m",
        summary: "Prometheus does not reach the sidecar of {{ $labels.pod }}",
      },
      {
        name: "LucidSidecarUpdateRejected",
        severity: "critical",
        // Counted since the sidecar started: what was rejected is not tried again.
        expression: `sum by (zone, service, pod) ({__name__=~"${rejected}", ${FROM_SIDECARS}}) > 0`,
        summary: "The sidecar of {{ $labels.pod }} has rejected a change of its files, and runs by older ones",
      },
      {
        name: "LucidSidecarFilesUnread",
        severity: "warning",
        expression: `${unread.join(" + ")} > 0`,
        summary: "The sidecar of {{ $labels.pod }} could not read some of its files",
      },
    ],
  };
}
