/** For each alert a past in which it comes and goes. */
import { growing, lasting, ofApplication, ofController, ofSidecar, type Stretch } from "./past";
import type { PastSeries } from "./promtool";

export interface Case {
  readonly alert: string;
  readonly past: readonly PastSeries[];
  /** Minutes since the beginning at which it does not fire yet, does, and does no more. */
  readonly quiet: number;
  readonly fires: number;
  readonly over: number;
  /** Its labels but name and severity, and its summary. */
  readonly labels: Readonly<Record<string, string>>;
  readonly summary: string;
}

const drift = (of: string, minutes: number) =>
  ofController(
    "lucid_controller_drift",
    `exported_zone="wallet", class="${of}"`,
    lasting([0, 2], [2, minutes], [0, 5]),
  );
const canary = (outcome: string, ...stretches: readonly Stretch[]) =>
  ofController("lucid_controller_canary", `layer="network", outcome="${outcome}", node="node1"`, lasting(...stretches));
const instances = (state: string, samples: PastSeries["samples"], service = "payout-router") => [
  ofController(
    "lucid_controller_service_instances",
    `exported_zone="wallet", exported_service="${service}", state="${state}"`,
    samples,
  ),
  // The other replica says the same.
  ofController(
    "lucid_controller_service_instances",
    `exported_zone="wallet", exported_service="${service}", state="${state}"`,
    samples,
    1,
  ),
];
const requests = 'status="200"';
const bucket = (le: string, growth: number, minutes: number) =>
  ofController(
    "lucid_controller_registry_request_duration_seconds_bucket",
    `exported_zone="ops", ${requests}, le="${le}"`,
    growing([growth, minutes], [0, 40]),
  );
const edge = (metric: string, samples: PastSeries["samples"], more = "") =>
  ofSidecar(
    "admin-ui",
    metric,
    `lucid_callee="lucid-blocks", lucid_callee_port="http"${more === "" ? "" : `, ${more}`}`,
    samples,
  );
const CALLEE = { lucid_callee: "lucid-blocks", lucid_callee_port: "http" };
const ends = (certificate: string, days: number) =>
  ofSidecar(
    "admin-ui",
    "envoy_listener_ssl_certificate_expiration_unix_time_seconds",
    `envoy_listener_address="inspection", envoy_tls_certificate="${certificate}"`,
    // Tests begin in 1970. Made anew after 10 minutes.
    lasting([days * 86_400, 10], [80 * 86_400, 30]),
  );
const POD = { zone: "ops", service: "admin-ui", pod: "admin-ui-0" };
const slow = (le: string, growth: number) =>
  edge("envoy_cluster_upstream_rq_time_bucket", growing([growth, 15], [0, 15]), `le="${le}"`);

export const CASES: readonly Case[] = [
  // enforcement
  {
    alert: "LucidEnforcementLost",
    past: [drift("enforcement", 3)],
    quiet: 1.75,
    fires: 2,
    over: 5,
    labels: { zone: "wallet", class: "enforcement" },
    summary:
      "In wallet something runs that nothing holds back, or somebody may do more at the discovery backend than is declared (2)",
  },
  {
    alert: "LucidDrift",
    past: [drift("rights", 20)],
    quiet: 16.75,
    fires: 17,
    over: 22,
    labels: { zone: "wallet", class: "rights" },
    summary: "In wallet not all is as declared (rights: 2)",
  },
  {
    alert: "LucidDriftRepairGivenUp",
    past: [
      ofController(
        "lucid_controller_drift_left",
        'exported_zone="chain", class="isolation"',
        lasting([0, 2], [1, 2], [0, 2]),
      ),
    ],
    quiet: 1.75,
    fires: 2,
    over: 4,
    labels: { zone: "chain", class: "isolation" },
    summary: "In chain something is changed as often as it is put right, and is left now (isolation: 1)",
  },
  {
    alert: "LucidDriftContested",
    past: [
      ofController(
        "lucid_controller_drift_repaired_total",
        'exported_zone="chain", class="isolation"',
        growing([0, 30], [0.25, 5], [0, 40]),
      ),
    ],
    quiet: 31,
    fires: 36,
    over: 70,
    labels: { zone: "chain", class: "isolation" },
    summary: "In chain somebody changes again and again what is put right (isolation: 5 times in half an hour)",
  },
  {
    alert: "LucidCanaryLetIn",
    past: [canary("let-in", [0, 2], [1, 0.5], [0, 5]), canary("enforced", [3, 2], [2, 0.5], [3, 5])],
    quiet: 1.75,
    fires: 2,
    over: 2.5,
    labels: { layer: "network", node: "node1" },
    summary: "On node1 pods let in whom they must not (1, at the network): what should refuse doesn't",
  },
  {
    alert: "LucidCanaryBlind",
    // A pod here and there that ends while it is asked is nothing: before, there are eight minutes of it.
    past: [canary("blind", [0, 2], [1, 8], [0, 2], [2, 12], [0, 5]), canary("enforced", [3, 29])],
    quiet: 21.75,
    fires: 22,
    over: 24,
    labels: { layer: "network", node: "node1" },
    summary: "Of 2 pods on node1 nobody knows whether they refuse whom they must (network)",
  },
  {
    alert: "LucidCallsRefused",
    past: [
      ofSidecar(
        "lucid-blocks",
        "envoy_http_rbac_denied",
        'lucid_port="http", lucid_caller_zone="ops"',
        growing([0, 10], [1, 0.25], [0, 20]),
      ),
    ],
    quiet: 9.75,
    fires: 10.25,
    over: 16,
    labels: { zone: "chain", service: "lucid-blocks", lucid_port: "http", lucid_caller_zone: "ops" },
    summary: "lucid-blocks refuses what somebody in ops asks it (http)",
  },
  {
    alert: "LucidCallsRefused",
    // At the inspection port, which is nobody's of the document.
    past: [
      ofSidecar(
        "lucid-blocks",
        "envoy_http_rbac_denied",
        'envoy_http_conn_manager_prefix="inspection|prometheus"',
        growing([0, 10], [1, 0.25], [0, 20]),
      ),
    ],
    quiet: 9.75,
    fires: 10.25,
    over: 16,
    labels: { zone: "chain", service: "lucid-blocks" },
    summary: "lucid-blocks refuses what somebody asks it",
  },
  {
    alert: "LucidTokensRefused",
    past: [
      ofSidecar(
        "lucid-blocks",
        "envoy_http_jwt_authn_denied",
        'lucid_port="http", lucid_caller_zone="ops"',
        growing([0, 10], [1, 1], [0, 20]),
      ),
    ],
    quiet: 10.75,
    fires: 11.25,
    over: 17,
    labels: { zone: "chain", service: "lucid-blocks", lucid_port: "http", lucid_caller_zone: "ops" },
    summary: "lucid-blocks refuses identity tokens from ops (http)",
  },
  {
    alert: "LucidPeersRefused",
    past: ["error", "san", "no_cert"].map((why) =>
      ofSidecar(
        "lucid-blocks",
        `envoy_listener_ssl_fail_verify_${why}`,
        'envoy_listener_address="inbound"',
        growing([0, 10], [why === "san" ? 1 : 0, 0.25], [0, 20]),
      ),
    ),
    quiet: 9.75,
    fires: 10.25,
    over: 16,
    labels: { zone: "chain", service: "lucid-blocks" },
    summary: "The sidecar of lucid-blocks refuses peers for their certificates",
  },
  // controller
  {
    alert: "LucidControllerAway",
    past: [
      ofController("up", "", lasting([1, 5], [0, 5], [1, 5])),
      ofController("up", "", lasting([1, 6], [0, 4], [1, 5]), 1),
    ],
    quiet: 7.75,
    fires: 8.25,
    over: 10,
    labels: {},
    summary: "No replica of the controller is seen: nothing registers, nothing compares, and of drift nobody tells",
  },
  {
    alert: "LucidControllerWithoutLeader",
    past: [0, 1].map((pod) =>
      ofController("lucid_controller_leading", "", lasting([pod, 5], [0, 5], [1 - pod, 5]), pod),
    ),
    quiet: 5.75,
    fires: 6,
    over: 10,
    labels: {},
    summary: "Replicas of the controller run, and none of them leads",
  },
  {
    alert: "LucidControllerLeadersDiffer",
    past: [0, 1].map((pod) =>
      ofController("lucid_controller_leading", "", lasting([pod, 5], [1, 5], [1 - pod, 5]), pod),
    ),
    quiet: 6.75,
    fires: 7,
    over: 10,
    labels: {},
    summary: "2 replicas of the controller take themselves for the leader",
  },
  {
    alert: "LucidControllerFailing",
    past: [
      ofController(
        "lucid_controller_failures_total",
        'exported_zone="none", operation="mirror-keys"',
        growing([0, 5], [1, 12], [0, 15]),
      ),
    ],
    quiet: 14.75,
    fires: 15.5,
    over: 23,
    labels: { zone: "none", operation: "mirror-keys" },
    summary: "The controller fails again and again at mirror-keys",
  },
  {
    alert: "LucidRegistryAway",
    past: [
      ofController(
        "lucid_controller_registry_request_duration_seconds_count",
        'exported_zone="ops", status="error"',
        growing([0, 5], [1, 5], [0, 15]),
      ),
    ],
    quiet: 6.75,
    fires: 7.25,
    over: 16,
    labels: {},
    summary: "The discovery backend gives the controller no answer",
  },
  {
    alert: "LucidRegistrationFailing",
    past: [
      ofController(
        "lucid_controller_failures_total",
        'exported_zone="wallet", operation="register"',
        growing([0, 5], [1, 8], [0, 15]),
      ),
    ],
    quiet: 9.75,
    fires: 10.5,
    over: 19,
    labels: { zone: "wallet", operation: "register" },
    summary: "Instances of wallet are not registered as they should be (register fails)",
  },
  {
    alert: "LucidRegistrationBehind",
    past: [ofController("lucid_controller_backlog", "", lasting([0, 2], [7, 8], [0, 5]))],
    quiet: 6.75,
    fires: 7,
    over: 10,
    labels: {},
    summary: "7 instances wait for their registration to be put right",
  },
  {
    alert: "LucidRegistrationSlow",
    past: [bucket("1", 1, 40), bucket("2.5", 2, 40), bucket("+Inf", 2, 40)],
    quiet: 15,
    fires: 17,
    over: 60,
    labels: {},
    summary: "One in a hundred requests to the discovery backend takes 2.47s or longer",
  },
  {
    alert: "LucidClocksApart",
    past: [ofController("lucid_controller_clock_skew_seconds", 'node="node-2"', lasting([-3, 2], [-12, 10], [0, 5]))],
    quiet: 6.75,
    fires: 7,
    over: 13,
    labels: { node: "node-2" },
    summary: "The clock of node-2 is 12 s from the controller's",
  },
  {
    alert: "LucidNodeDead",
    past: [ofController("lucid_controller_nodes_dead", "", lasting([0, 2], [1, 5], [0, 5]))],
    quiet: 1.75,
    fires: 2,
    over: 7,
    labels: {},
    summary: "1 nodes do not renew their leases; their instances were taken out of the registry",
  },
  {
    alert: "LucidNothingSeen",
    past: [ofSidecar("admin-ui", "up", "", lasting([1, 5], [0, 8], [1, 5]))],
    quiet: 9.75,
    fires: 10,
    over: 13,
    labels: {},
    summary: "Prometheus reaches no sidecar at all",
  },
  {
    alert: "LucidTargetsNotNamed",
    past: [
      ofApplication("prometheus", "ops", "prometheus_sd_http_failures_total", "", growing([0, 5], [1, 8], [0, 15])),
    ],
    quiet: 9.75,
    fires: 10.5,
    over: 19,
    labels: {},
    summary: "Prometheus is not told whom to scrape, and goes on with those that it knows",
  },
  {
    alert: "LucidRulesFailing",
    past: [
      ofApplication(
        "prometheus",
        "ops",
        "prometheus_rule_evaluation_failures_total",
        'rule_group="/etc/application/alerts.yaml;calls"',
        growing([0, 5], [1, 8], [0, 15]),
      ),
    ],
    quiet: 9.75,
    fires: 10.5,
    over: 19,
    labels: {},
    summary: "Prometheus can't evaluate some of these rules",
  },
  // services
  {
    alert: "LucidServiceDown",
    past: [...instances("ready", lasting([2, 5], [0, 8], [2, 5])), ...instances("declared", lasting([2, 18]))],
    quiet: 9.75,
    fires: 10,
    over: 13,
    labels: { zone: "wallet", service: "payout-router" },
    summary: "No instance of payout-router is ready",
  },
  {
    alert: "LucidInstancesMissing",
    past: [...instances("ready", lasting([2, 5], [1, 18], [2, 5])), ...instances("declared", lasting([2, 28]))],
    quiet: 19.75,
    fires: 20,
    over: 23,
    labels: { zone: "wallet", service: "payout-router" },
    summary: "payout-router has fewer ready instances than are declared (1)",
  },
  {
    alert: "LucidInstancesNotFound",
    past: [...instances("registered", lasting([2, 5], [1, 8], [2, 5])), ...instances("ready", lasting([2, 18]))],
    quiet: 9.75,
    fires: 10,
    over: 13,
    labels: { zone: "wallet", service: "payout-router" },
    summary: "Callers do not find all ready instances of payout-router (only 1)",
  },
  {
    alert: "LucidApplicationMetricsMissing",
    past: [ofApplication("jaeger", "ops", "up", "", lasting([1, 5], [0, 12], [1, 5]))],
    quiet: 14.75,
    fires: 15,
    over: 17,
    labels: { job: "applications-ops", zone: "ops", service: "jaeger", pod: "jaeger-0" },
    summary: "jaeger-0 does not tell the metrics that jaeger declares",
  },
  // sidecars
  {
    alert: "LucidSidecarUnseen",
    past: [ofSidecar("payout-router", "up", "", lasting([1, 5], [0, 8], [1, 5]))],
    quiet: 9.75,
    fires: 10,
    over: 13,
    labels: { job: "sidecars-wallet", zone: "wallet", service: "payout-router", pod: "payout-router-0" },
    summary: "Prometheus does not reach the sidecar of payout-router-0",
  },
  ...[
    ["envoy_listener_manager_lds_update_rejected", ""],
    ["envoy_cluster_manager_cds_update_rejected", ""],
    ["envoy_sds_update_rejected", 'envoy_xds_resource_name="leaf"'],
    ["envoy_extension_config_discovery_http_filter_identity_token_update_rejected", ""],
  ].map(([metric = "", labels = ""]) => ({
    alert: "LucidSidecarUpdateRejected",
    past: [ofSidecar("admin-ui", metric, labels, lasting([0, 5], [1, 60], [0, 5]))],
    quiet: 4.75,
    fires: 64,
    over: 65,
    labels: POD,
    summary: "The sidecar of admin-ui-0 has rejected a change of its files, and runs by older ones",
  })),
  {
    alert: "LucidSidecarFilesUnread",
    past: [
      ofSidecar("admin-ui", "envoy_listener_manager_lds_update_failure", "", growing([0, 30])),
      ofSidecar("admin-ui", "envoy_cluster_manager_cds_update_failure", "", growing([0, 30])),
      ofSidecar(
        "admin-ui",
        "envoy_extension_config_discovery_http_filter_identity_token_update_failure",
        "",
        growing([0, 30]),
      ),
      ofSidecar(
        "admin-ui",
        "envoy_sds_update_failure",
        'envoy_xds_resource_name="trust/ops"',
        growing([0, 15], [1, 0.25], [0, 14.75]),
      ),
    ],
    quiet: 14.75,
    fires: 15.25,
    over: 26,
    labels: POD,
    summary: "The sidecar of admin-ui-0 could not read some of its files",
  },
  // certificates
  {
    alert: "LucidCertificateEndsSoon",
    past: [ends("leaf", 9)],
    quiet: 4.75,
    fires: 5,
    over: 10,
    labels: POD,
    summary: "The certificate of admin-ui-0 ends in 8d 23h 55m 0s",
  },
  {
    alert: "LucidCertificateEndsNow",
    past: [ends("leaf", 1)],
    quiet: 4.75,
    fires: 5,
    over: 10,
    labels: POD,
    summary: "The certificate of admin-ui-0 ends in 23h 55m 0s",
  },
  {
    alert: "LucidCertificateEnded",
    past: [ends("leaf", 2 / 24 / 60)],
    quiet: 1.75,
    fires: 2,
    over: 10,
    labels: POD,
    summary: "The certificate of admin-ui-0 has ended: nobody believes it any more",
  },
  {
    alert: "LucidCertificateOverdue",
    past: [0, 1].map((pod) =>
      ofController(
        "lucid_controller_certificates_overdue",
        'exported_zone="ops"',
        lasting([0, 2], [3, 15], [0, 5]),
        pod,
      ),
    ),
    quiet: 6.75,
    fires: 7,
    over: 18,
    labels: { zone: "ops" },
    summary: "The issuer of ops did not make 3 certificates anew when they were due",
  },
  {
    alert: "LucidCertificateNotServed",
    past: [
      // Issued after five minutes, served after thirty.
      ofSidecar(
        "admin-ui",
        "envoy_listener_ssl_certificate_expiration_unix_time_seconds",
        'envoy_listener_address="inspection", envoy_tls_certificate="leaf"',
        lasting([86_400, 30], [2 * 86_400, 10]),
      ),
      ofController(
        "lucid_controller_certificate_expiry_timestamp_seconds",
        'exported_zone="ops", exported_service="admin-ui"',
        lasting([86_400, 5], [2 * 86_400, 35]),
      ),
    ],
    quiet: 19.75,
    fires: 20,
    over: 31,
    labels: POD,
    summary: "admin-ui-0 goes on with its old certificate, though its service was given another",
  },
  {
    alert: "LucidRootEndsSoon",
    past: [ends("trust/chain", 60)],
    quiet: 4.75,
    fires: 5,
    over: 45,
    labels: { envoy_tls_certificate: "trust/chain" },
    summary: "A root of trust/chain ends in 59d 23h 55m 0s",
  },
  {
    alert: "LucidRootEndsNow",
    past: [ends("trust/chain", 7)],
    quiet: 4.75,
    fires: 5,
    over: 10,
    labels: { envoy_tls_certificate: "trust/chain" },
    summary: "A root of trust/chain ends in 6d 23h 55m 0s",
  },
  // calls
  {
    alert: "LucidCallsFailing",
    past: [
      edge("envoy_cluster_upstream_rq_completed", growing([10, 40])),
      edge("envoy_cluster_upstream_rq_xx", growing([0, 5], [1, 15], [0, 20]), 'envoy_response_code_class="5"'),
    ],
    quiet: 6,
    fires: 15,
    over: 26,
    labels: CALLEE,
    summary: "10% of the calls to lucid-blocks fail (http)",
  },
  {
    alert: "LucidCallsFailingMostly",
    past: [
      edge("envoy_cluster_upstream_rq_completed", growing([10, 40])),
      edge("envoy_cluster_upstream_rq_xx", growing([0, 5], [10, 15], [0, 20]), 'envoy_response_code_class="5"'),
    ],
    quiet: 7,
    fires: 15,
    over: 26,
    labels: CALLEE,
    summary: "100% of the calls to lucid-blocks fail (http)",
  },
  {
    alert: "LucidCallsSlow",
    past: [
      edge("envoy_cluster_upstream_rq_completed", growing([10, 15], [0, 15])),
      slow("1000", 5),
      slow("2500", 10),
      slow("+Inf", 10),
    ],
    quiet: 9.5,
    fires: 11,
    over: 22,
    labels: CALLEE,
    summary: "One in a hundred calls to lucid-blocks takes 2.47k ms or longer",
  },
  {
    alert: "LucidConnectionsFailing",
    past: [
      edge("envoy_cluster_upstream_cx_total", growing([4, 40])),
      edge("envoy_cluster_upstream_cx_connect_fail", growing([0, 5], [4, 15], [0, 20])),
    ],
    quiet: 9,
    fires: 18,
    over: 27,
    labels: CALLEE,
    summary: "100% of the connections to lucid-blocks can't be made",
  },
  {
    alert: "LucidCircuitBreakerOpen",
    past: [
      edge("envoy_cluster_circuit_breakers_default_rq_open", lasting([0, 5], [1, 5], [0, 5]), 'envoy_cluster_name="x"'),
    ],
    quiet: 5.75,
    fires: 6,
    over: 10,
    labels: { zone: "ops", service: "admin-ui", ...CALLEE },
    summary: "admin-ui has more under way at lucid-blocks than its circuit breaker lets be",
  },
];
