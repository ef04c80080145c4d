import type { Service } from "../../mesh/model";
import { failedRequests } from "../observability/access-log";
import { connectionManager, getRoute, NOT_FOUND } from "../http";
import { any, socketAddress, type Message } from "../message";
import { ADMIN_CLUSTER, LISTENERS } from "../names";
import type { EnvoyOptions } from "../options";

/** What of the admin interface the application may read. All else (`/quitquitquit`, `/config_dump`, every POST) is reached by nobody in the pod. */
const READABLE = ["/ready", "/stats", "/stats/prometheus"] as const;

/** 127.0.0.1:15000: a harmless, read-only part of the admin interface for the application. */
export function adminListener(service: Service, options: EnvoyOptions): Message {
  return any("envoy.config.listener.v3.Listener", {
    name: LISTENERS.admin,
    stat_prefix: LISTENERS.admin,
    address: socketAddress("127.0.0.1", options.adminPort),
    enable_reuse_port: false,
    ignore_global_conn_limit: true,
    bypass_overload_manager: true,
    filter_chains: [
      {
        filters: [
          connectionManager({
            statPrefix: LISTENERS.admin,
            accessLog: [failedRequests({ kind: "admin", direction: "inbound", service: service.name })],
            routes: [...READABLE.map((path) => getRoute(path, { cluster: ADMIN_CLUSTER, timeout: "10s" })), NOT_FOUND],
          }),
        ],
      },
    ],
  });
}
