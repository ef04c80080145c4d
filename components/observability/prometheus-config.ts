import { dump } from "js-yaml";
import type { Mesh } from "../../mesh";
import { SCRAPE_PORT_BASE, WELL_KNOWN, ZONES, serviceNamed } from "../../mesh";

/**
 * Prometheus's configuration: one job for each zone that has services, whatever their number. A scrape goes through the forward proxy that
 * Prometheus's own sidecar keeps for that zone, and so reaches a target by mutual TLS, trusting that zone alone. The targets are the
 * controller's to name, by a declared call: Prometheus has no right in the Kubernetes API.
 *
 * @throws RangeError where the mesh has no controller.
 */
export function prometheusConfig(mesh: Mesh): string {
  const controller = serviceNamed(mesh, WELL_KNOWN.controller);
  const zones = mesh.zones.filter((zone) => mesh.services.some((service) => service.zone === zone.name));
  return dump(
    {
      global: { scrape_interval: "15s", scrape_timeout: "10s" },
      scrape_configs: zones.map((zone) => ({
        job_name: `sidecars-${zone.name}`,
        metrics_path: "/stats/prometheus",
        proxy_url: `http://127.0.0.1:${SCRAPE_PORT_BASE + ZONES.indexOf(zone.name)}`,
        http_sd_configs: [{ url: `http://${controller.hostname}/targets/${zone.name}`, refresh_interval: "10s" }],
      })),
    },
    { lineWidth: -1, noRefs: true },
  );
}
