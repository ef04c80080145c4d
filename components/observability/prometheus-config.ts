import { dump } from "js-yaml";
import type { Mesh, ZoneName } from "../../mesh";
import {
  METRICS_LABEL,
  SCRAPED_PATHS,
  SCRAPE_JOBS,
  WELL_KNOWN,
  scrapePort,
  serviceNamed,
  zonesWithMetrics,
} from "../../mesh";

/** Name of the file of alerting rules, in the folder of the configuration. */
export const ALERTS_FILE = "alerts.yaml";

/** Most that one application may tell in a scrape: what tells more is not scraped, so that it can't use up Prometheus's memory. */
const APPLICATION_LIMITS = { body_size_limit: "16MB", sample_limit: 20_000, label_limit: 64 } as const;

/**
 * Prometheus's configuration: one job for each zone that has services, whatever their number, and one more where services of it tell metrics of their own. A
 * scrape goes through the forward proxy that Prometheus's own sidecar keeps for that zone, and so reaches a target by mutual TLS, trusting that zone
 * alone. The targets are the controller's to name, by a declared call: Prometheus has no right in the Kubernetes API.
 *
 * Labels of a target are the controller's word. Where an application says one of them itself it becomes `exported_<label>`, so none speaks for another; nor
 * can it date what it tells, or bring Prometheus's own series of alerts.
 *
 * @throws RangeError where the mesh has no controller.
 * @see https://prometheus.io/docs/prometheus/latest/configuration/configuration/#scrape_config
 */
export function prometheusConfig(mesh: Mesh): string {
  const controller = serviceNamed(mesh, WELL_KNOWN.controller);
  const zones = mesh.zones.map(({ name }) => name).filter((zone) => mesh.services.some((one) => one.zone === zone));
  const job = (kind: keyof typeof SCRAPE_JOBS, zone: ZoneName, path: string) => ({
    job_name: `${SCRAPE_JOBS[kind]}-${zone}`,
    metrics_path: path,
    proxy_url: `http://127.0.0.1:${scrapePort(zone)}`,
    http_sd_configs: [{ url: `http://${controller.hostname}/targets/${zone}`, refresh_interval: "10s" }],
  });
  return dump(
    {
      global: { scrape_interval: "15s", scrape_timeout: "10s", evaluation_interval: "15s" },
      rule_files: [ALERTS_FILE],
      scrape_configs: [
        ...zones.map((zone) => job("sidecars", zone, SCRAPED_PATHS.sidecar)),
        ...zonesWithMetrics(mesh).map((zone) => ({
          ...job("applications", zone, SCRAPED_PATHS.application),
          relabel_configs: [{ source_labels: [METRICS_LABEL], regex: "true", action: "keep" }],
          metric_relabel_configs: [{ source_labels: ["__name__"], regex: "ALERTS(_FOR_STATE)?", action: "drop" }],
          honor_timestamps: false,
          ...APPLICATION_LIMITS,
        })),
      ],
    },
    { lineWidth: -1, noRefs: true },
  );
}
