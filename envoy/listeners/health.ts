import type { HealthCheck, Service } from "../../mesh/model";
import { SIDECAR_PORTS } from "../../mesh/wire";
import { failedRequests } from "../observability/access-log";
import { healthTarget } from "../clusters";
import { externalHealth, externalOf } from "../external";
import { connectionManager, getRoute, NOT_FOUND } from "../http";
import { any, socketAddress, type Message } from "../message";
import { ADMIN_CLUSTER, LISTENERS } from "../names";

/**
 * Port 15021, plain text for kubelet: `GET /ready` tells of Envoy alone (the application starts later), `GET /health` asks the application, unless it is a
 * job, which is asked nothing, or outside the cluster, where its clusters' own checks tell. Nothing else is there.
 */
export function healthListener(service: Service): Message {
  return any("envoy.config.listener.v3.Listener", {
    name: LISTENERS.health,
    stat_prefix: LISTENERS.health,
    address: socketAddress("0.0.0.0", SIDECAR_PORTS.health),
    traffic_direction: "INBOUND",
    enable_reuse_port: false,
    // A flood of calls must not make kubelet believe that the pod is dead.
    ignore_global_conn_limit: true,
    bypass_overload_manager: true,
    filter_chains: [
      {
        filters: [
          connectionManager({
            statPrefix: LISTENERS.health,
            accessLog: [failedRequests({ kind: "health", direction: "inbound", service: service.name })],
            filters: externalOf(service) === undefined ? [] : [externalHealth(service)],
            routes: [
              getRoute("/ready", { cluster: ADMIN_CLUSTER, timeout: "1s" }),
              ...(service.health === undefined ? [] : [applicationRoute(service, service.health)]),
              NOT_FOUND,
            ],
          }),
        ],
      },
    ],
  });
}

function applicationRoute(service: Service, health: HealthCheck): Message {
  const cluster = healthTarget(service, health).name;
  return getRoute("/health", { cluster, timeout: "9s", prefix_rewrite: health.path });
}
