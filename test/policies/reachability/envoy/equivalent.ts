/** Changes that no layer of the proof finds, since they change neither who may reach whom nor what may be asked, each with the reason. */
export interface Equivalent {
  /** Matches the kind of a mutation (see `mutationsOf`). */
  readonly kind: RegExp;
  readonly why: string;
}

export const EQUIVALENT: readonly Equivalent[] = [
  {
    kind: /\.(access_log|tracing|stats_config|application_log_config)\b|stats_flush_interval|access_log\[/,
    why: "says what is recorded of a call. What Envoy doesn't know there makes it refuse the whole resource, and nobody is let in by that",
  },
  {
    kind: /\.(stat_prefix|traffic_direction|decorator|stats_for_all_methods|track_per_rule_stats)\b|version_info$|http_filters\[envoy\.filters\.http\.grpc_stats\]$/,
    why: "names counters, spans and generations",
  },
  {
    kind: /bootstrap\.yaml\.node\b|\.route_config\.name$|virtual_hosts\[\w+\]\.name$|filter_chains\[\w+\]\.name$|rules\.policies\.[\w-]+$/,
    why: "is a name that nothing else is found by: of the node, a route table, a chain, a policy",
  },
  {
    kind: /_?(timeout|interval|timeout_ms|refresh_rate|jitter|answer_ttl|rate|clock_skew_seconds)$|\.(dns_failure_refresh_rate|max_stream_duration|tcp_keepalive|upstream_connection_options|connection_keepalive)\b/,
    why: "says how long something takes, or how often it is done",
  },
  {
    kind: /\.(circuit_breakers|outlier_detection|overload_manager|retry_policy|backoff_options|http2_protocol_options|common_http_protocol_options)\b|\.(per_connection_buffer_limit_bytes|max_connections|max_connect_attempts|(un)?healthy_threshold|query_tries|query_timeout_seconds|udp_max_queries)$|\.jwt_cache_config\b/,
    why: "says how much is done at once, how often it is tried, and who is passed over of those who may be asked",
  },
  {
    kind: /\.(ignore_global_conn_limit|bypass_overload_manager)$/,
    why: "says who is answered first when there is too much to do",
  },
  {
    kind: /\.layered_runtime\b/,
    why: "times telemetry: the form allows settings of telemetry and of limits alone",
  },
  {
    kind: /\.(http_protocol_options|preserve_external_request_id|request_id_extension|server_header_transformation|proxy_100_continue|skip_xff_append|suppress_envoy_headers|request_headers_to_remove|internal_address_config|set_current_client_cert_details|forward_client_cert_details)\b/,
    why: "says which headers and trailers a request has that is let in; who the caller is told to be is the form's",
  },
  {
    kind: /^(swap|move) (listeners|clusters)\.yaml\.resources\[|^(swap|move) .*(filter_chains|virtual_domains)\[|^swap .*address_list\.address\[|^(swap|move) .*alpn_protocols\[/,
    why: "changes the order of what is found by name, address or server name",
  },
  {
    kind: /^duplicate .*(routes|permissions|principals|rules|alpn_protocols|lb_endpoints|endpoints)\[\]$|^duplicate .*\[envoy\.filters\.(network\.set_filter_state|network\.connection_limit|listener\.tls_inspector)\]$/,
    why: "says the same twice",
  },
  {
    kind: /^swap .*(rules|ids|permissions|principals)\[\]$|^(swap|move) .*(health|admin|inspection)\]\.routes\[\]$/,
    why: "changes the order of what must hold together, or of routes for different paths",
  },
  {
    kind: /^(swap|move) .*\.filters\[envoy\.filters\.network\.(connection_limit|set_filter_state)\]$/,
    why: "changes the order of filters that stand before the proxy and don't stop each other",
  },
  {
    kind: /^drop .*\.codec_type$|^(drop|widen to false) .*\.(require_sni|allow_request_without_credential)$|^drop .*\.(forward|invert)$/,
    why: "is the default, or (require_sni) follows from the chain's being chosen by its server name",
  },
  {
    kind: /match\.prefix$|^drop .*(health|admin|inspection)\]\.routes\[\]$|\.direct_response(\.status)?$/,
    why: "is about the answer 404, which a request that no route takes gets as well",
  },
  {
    kind: /admin\.address\.pipe\.mode$|^add .*admin\.address\.pipe$/,
    why: "is about a socket in a volume that the sidecar's container alone mounts",
  },
  {
    kind: /clusters\[admin\]\.(load_assignment\.cluster_name|connect_timeout)$/,
    why: "is a name that nothing looks at: the cluster has its endpoint in itself",
  },
  {
    kind: /resources\[admin\]/,
    why: "is about what the pod's own application may read of its sidecar; the form allows it no more than that",
  },
  {
    kind: /^drop clusters\.yaml\.resources\[application\]\.typed_extension_protocol_options$/,
    why: "leaves HTTP/1.1, which is what an application without the options is sent",
  },
  {
    kind: /tunneling_config\.hostname$/,
    why: "names a tunnel's end, at which the callee's sidecar doesn't look: where it leads is said by the server name",
  },
  { kind: /resources\[dns\]\.enable_reuse_port$/, why: "is for several workers on a loopback address of the pod" },
];
