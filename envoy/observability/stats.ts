import type { Mesh } from "../../mesh/model";
import type { Message } from "../message";

/**
 * Which of Envoy's statistics are kept, and what of their names becomes a label. Names hold only what the document declares (ports, callees, callers,
 * zones), so that the number of series is bounded by a service's own edges.
 *
 * @see https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/metrics/v3/stats.proto
 */
export function stats({ datacenters }: Pick<Mesh, "datacenters">): Message {
  return {
    stats_config: {
      stats_tags: [
        { tag_name: "lucid_callee", regex: "^cluster\\.outbound\\|((.+?)\\|)" },
        ...(datacenters === undefined ? [CALLEE_PORT] : CALLEE_IN_DATACENTER),
        { tag_name: "lucid_port", regex: "^http\\.inbound\\|((.+?)\\|)" },
        { tag_name: "lucid_caller_zone", regex: "^http\\.inbound\\|.+?\\|((.+?)\\.)" },
      ],
      stats_matcher: { exclusion_list: { patterns: [...EXCLUDED] } },
      histogram_bucket_settings: [{ match: { safe_regex: { regex: ".*" } }, buckets: [...BUCKETS_MS] }],
    },
  };
}

const CALLEE_PORT: Message = { tag_name: "lucid_callee_port", regex: "^cluster\\.outbound\\|.+?\\|((.+?)\\.)" };

/** The port ends at the datacenter, where the cluster is of one of several. */
const CALLEE_IN_DATACENTER: readonly Message[] = [
  { tag_name: "lucid_callee_port", regex: "^cluster\\.outbound\\|.+?\\|(([^.|]+)[.|])" },
  { tag_name: "lucid_callee_datacenter", regex: "^cluster\\.outbound\\|[^.|]+\\|[^.|]+\\|(([^.|]+)\\.)" },
];

/** Half of all series: copies, histograms that nobody reads, and features that no sidecar uses. */
const EXCLUDED: readonly Message[] = [
  // The admin interface's own traffic and kubelet's, and a copy of each listener's numbers for each worker.
  { prefix: "cluster.admin." },
  { prefix: "http.admin." },
  { prefix: "http.health." },
  { prefix: "listener.admin." },
  { prefix: "listener_manager.worker_" },
  { safe_regex: { regex: "^listener\\..*\\.worker_[0-9]+\\..*" } },
  // Copies of what the connection managers and clusters count.
  { safe_regex: { regex: "^listener\\.[^.]+\\.http\\..*" } },
  { safe_regex: { regex: "^cluster\\.[^.]+\\.(external|internal)\\..*" } },
  { safe_regex: { regex: ".*\\.rbac\\.shadow_.*" } },
  // Load balancing by zone and subset, EDS, redirects, HTTP/3: not used here.
  {
    safe_regex: {
      regex:
        "^cluster\\.[^.]+\\.(assignment_|lb_subsets|lb_zone|lb_local|lb_recalculate|default\\.|original_dst|upstream_cx_http3).*",
    },
  },
  {
    safe_regex: { regex: "^http\\.[^.]+\\.(passthrough_internal_redirect|downstream_cx_http3|downstream_rq_http3).*" },
  },
  { safe_regex: { regex: "^(cluster\\.[^.]+\\.)?http2\\.(header_|cookie|nghttp2|oghttp2).*" } },
  // Histograms of sizes and lengths; times of calls, handshakes and look-ups stay.
  { safe_regex: { regex: ".*\\.(downstream|upstream)_cx_length_ms$" } },
  { safe_regex: { regex: ".*\\.(upstream_rq_per_cx|connections_accepted_per_socket_event|update_duration)$" } },
  { safe_regex: { regex: "^(overload\\.refresh_interval_delay|tls_inspector\\.bytes_processed)$" } },
  { safe_regex: { regex: "^dns_filter\\..*_bytes$" } },
];

/** From half a millisecond, which a call on one node takes, to the longest timeout. */
const BUCKETS_MS = [0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 15000] as const;
