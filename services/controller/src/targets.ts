import { METRICS_LABEL, SIDECAR_PORTS } from "../../../mesh/wire.js";
import type { ServiceStore } from "./services/store.js";
import type { ZoneView } from "./zone.js";

/** One group in the form of Prometheus' HTTP service discovery. */
export interface TargetGroup {
  readonly targets: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * What Prometheus is to scrape in a zone: the inspection port of every sidecar, ready or not, and which of them has an application behind it that tells
 * metrics of its own. So Prometheus needs no right in the Kubernetes API.
 *
 * @see https://prometheus.io/docs/prometheus/latest/http_sd/
 */
export function targets(zone: Pick<ZoneView, "name" | "desired">, services: Pick<ServiceStore, "get">): TargetGroup[] {
  return [...zone.desired().values()]
    .sort((one, other) => (one.pod < other.pod ? -1 : 1))
    .map(({ service, pod, address, version }) => ({
      targets: [`${address}:${String(SIDECAR_PORTS.inspection)}`],
      labels: {
        zone: zone.name,
        service,
        version,
        pod,
        ...(services.get(service)?.tellsMetrics === true ? { [METRICS_LABEL]: "true" } : {}),
      },
    }));
}
