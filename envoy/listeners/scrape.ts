import { ZONES, type Mesh, type Service, type ZoneName } from "../../mesh/model";
import { zonesWithMetrics } from "../../mesh/edges";
import { SCRAPED_PATHS, scrapePort, SIDECAR_PORTS, WELL_KNOWN } from "../../mesh/wire";
import { failedCalls } from "../observability/access-log";
import { CONNECT_TIMEOUT } from "../clusters";
import { connectionManager, getRoute, NOT_FOUND, protocolOptions } from "../http";
import { presentToken } from "../identity/identity-token";
import { any, socketAddress, type Message } from "../message";
import { inspectionServerName, scrapeName } from "../names";
import { clientTls } from "../identity/tls";
import { inspectedPaths } from "./inspection";

/** Whether this service's sidecar has the forward proxies: Prometheus's, and the controller's. */
export function isScraper(service: Service): boolean {
  return inspectedPaths(service).length > 0;
}

/** Zones with something to scrape. */
export function scrapedZones(mesh: Mesh): ZoneName[] {
  return ZONES.filter((zone) => mesh.services.some((service) => service.zone === zone));
}

/**
 * A forward proxy on the loopback of who inspects sidecars: asked for `http://<pod IP>:15090/stats/prometheus`, it goes there by mutual TLS. One per
 * zone, whatever the number of pods, each trusting that zone's roots alone, and for nothing but what its service may read. Where services of the zone tell metrics
 * of their own, Prometheus' takes `/metrics` there too.
 */
export function scrapeListener(mesh: Mesh, service: Service, zone: ZoneName): Message {
  const name = scrapeName(zone);
  const fetchesMetrics = service.name === WELL_KNOWN.prometheus && zonesWithMetrics(mesh).includes(zone);
  const paths = [...inspectedPaths(service), ...(fetchesMetrics ? [SCRAPED_PATHS.application] : [])];
  return any("envoy.config.listener.v3.Listener", {
    name,
    stat_prefix: name,
    address: socketAddress("127.0.0.1", scrapePort(zone)),
    traffic_direction: "OUTBOUND",
    enable_reuse_port: false,
    filter_chains: [
      {
        filters: [
          connectionManager({
            statPrefix: name,
            accessLog: [failedCalls({ kind: "scrape", direction: "outbound", service: service.name, zone })],
            routes: [...paths.map((path) => getRoute(path, { cluster: name, timeout: "10s" })), NOT_FOUND],
            overrides: { skip_xff_append: true },
          }),
        ],
      },
    ],
  });
}

/**
 * The pods of a zone, each found by the `host:port` of the request itself. The port is not the request's to choose, and the address alone proves
 * nothing: the peer must show an identity of that zone.
 *
 * @see https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/original_dst
 */
export function scrapeCluster(mesh: Mesh, service: Service, zone: ZoneName): Message {
  const trustDomain = mesh.zones.find((candidate) => candidate.name === zone)?.trustDomain;
  if (trustDomain === undefined) {
    throw new RangeError(`zone ${zone} has services but is not among the mesh's zones; resolve the document again`);
  }
  return {
    name: scrapeName(zone),
    connect_timeout: CONNECT_TIMEOUT,
    type: "ORIGINAL_DST",
    lb_policy: "CLUSTER_PROVIDED",
    original_dst_lb_config: {
      use_http_header: true,
      http_header_name: ":authority",
      upstream_port_override: SIDECAR_PORTS.inspection,
    },
    // Longer than a scrape interval, so that a scrape finds its connection and need not shake hands anew.
    cleanup_interval: "120s",
    ...protocolOptions("http1", "60s", presentToken()),
    transport_socket: clientTls(
      { zone, identities: { prefix: `spiffe://${trustDomain}/` } },
      inspectionServerName(service.zone),
      ["http/1.1"],
    ),
  };
}
