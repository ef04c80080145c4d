import type { Mesh, Service } from "../../mesh/model";
import { SIDECAR_PATHS } from "../../mesh/wire";
import { adminCluster } from "../clusters";
import { extension, type Message } from "../message";
import { maxHeapBytes } from "./resources";
import { stats } from "../observability/stats";

/** Connections that a sidecar takes at most; health, inspection and admin are not counted. */
const MAX_CONNECTIONS = 10_000;

/**
 * The static part of a sidecar's configuration, read once at start. It holds as little as possible, for a change of it takes a restart: who this is,
 * where listeners and clusters are read from, the admin socket and the limits.
 *
 * The node's id and the instance come from the command line (see `sidecarCommand`).
 *
 * @see https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/bootstrap/v3/bootstrap.proto
 */
export function bootstrap(mesh: Mesh, service: Service): Message {
  return {
    node: { cluster: service.name, locality: { zone: service.zone } },
    admin: { address: { pipe: { path: `${SIDECAR_PATHS.run}/admin.sock`, mode: 0o600 } } },
    dynamic_resources: {
      lds_config: filesFrom("listeners.yaml"),
      cds_config: filesFrom("clusters.yaml"),
    },
    static_resources: { clusters: [adminCluster()] },
    // One layer that nothing can change: without it the admin interface could alter runtime values.
    layered_runtime: {
      layers: [{ name: "static", static_layer: { "tracing.opentelemetry.flush_interval_ms": 1000 } }],
    },
    overload_manager: {
      resource_monitors: [
        extension(
          "envoy.resource_monitors.global_downstream_max_connections",
          "envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
          { max_active_downstream_connections: MAX_CONNECTIONS },
        ),
        extension(HEAP, "envoy.extensions.resource_monitors.fixed_heap.v3.FixedHeapConfig", {
          max_heap_size_bytes: maxHeapBytes(mesh, service),
        }),
      ],
      // First what is free is given back; when that does not help new requests are refused, so that those under way end well.
      actions: [
        { name: "envoy.overload_actions.shrink_heap", triggers: [whenHeapIsFull(0.9)] },
        { name: "envoy.overload_actions.stop_accepting_requests", triggers: [whenHeapIsFull(0.95)] },
      ],
    },
    ...stats(mesh),
    application_log_config: { log_format: { json_format: LOG_RECORD } },
  };
}

const HEAP = "envoy.resource_monitors.fixed_heap";

function whenHeapIsFull(share: number): Message {
  return { name: HEAP, threshold: { value: share } };
}

/** A file of LDS or CDS. The directory is watched, not the file: a mounted ConfigMap changes by a symlink beside it. */
function filesFrom(file: string): Message {
  const directory = SIDECAR_PATHS.config;
  return {
    path_config_source: { path: `${directory}/${file}`, watched_directory: { path: directory } },
    resource_api_version: "V3",
  };
}

/** Envoy's own log, in the form of the access log's records. */
const LOG_RECORD: Message = { time: "%Y-%m-%dT%T.%eZ", kind: "envoy", level: "%l", logger: "%n", message: "%j" };
