import assert from "node:assert/strict";
import { everyProtocol } from "../../../unit/envoy/fixture";
import { rootOf } from "./rendered";
import { findingsAfter } from "./changed";
import type { Change } from "./changed";
import type { Json } from "../../support/edit";

const HCM = "filters[envoy.filters.network.http_connection_manager].typed_config";
const RBAC = "http_filters[envoy.filters.http.rbac].typed_config.rules";
const CONTEXT = "transport_socket.typed_config.common_tls_context";
const SANS = `${CONTEXT}.combined_validation_context.default_validation_context.match_typed_subject_alt_names`;

/** A chain of `blocks`, which takes calls for each of its ports. */
const chain = (name: string) => `resources[inbound].filter_chains[${name}]`;
const inbound = (path: string, value?: Json): Change => ({ service: "blocks", file: "listeners.yaml", path, value });
const outbound = (path: string, value?: Json): Change => ({ service: "router", file: "clusters.yaml", path, value });
const listener = (path: string, value?: Json): Change => ({ service: "router", file: "listeners.yaml", path, value });

const identity = (zone: string, service: string) => `spiffe://${zone}.lucid.internal/ns/lucid-${zone}/sa/${service}`;
const san = (zone: string, service: string) => ({ san_type: "URI", matcher: { exact: identity(zone, service) } });
const principal = (zone: string, service: string): Json => ({
  and_ids: {
    ids: [
      { authenticated: { principal_name: { exact: identity(zone, service) } } },
      {
        sourced_metadata: {
          metadata_matcher: {
            filter: "envoy.filters.http.jwt_authn",
            path: [{ key: "identity" }, { key: "sub" }],
            value: { string_match: { exact: `system:serviceaccount:lucid-${zone}:${service}` } },
          },
        },
      },
      { filter_state: { key: "lucid.peer-uri-sans", string_match: { exact: identity(zone, service) } } },
    ],
  },
});

const wallet = chain("inbound|http|wallet");
const walletPolicy = `${wallet}.${HCM}.${RBAC}.policies.router`;
const opsPolicy = `${chain("inbound|http|ops")}.${HCM}.${RBAC}.policies.console`;
const rules = (path: string) => `${opsPolicy}.permissions[0].and_rules.rules[1].${path}`;

const prometheusChain = "resources[inspection].filter_chains[inspection|prometheus]";
const controllerChain = "resources[inspection].filter_chains[inspection|mesh-controller]";
const controllerRoutes = `${controllerChain}.${HCM}.route_config.virtual_hosts[0].routes`;
const controllerRule = (index: string) =>
  `${controllerChain}.${HCM}.${RBAC}.policies.mesh-controller.permissions[0].and_rules.rules[1].and_rules.rules[1].or_rules.rules${index}`;
const GET = { name: ":method", string_match: { exact: "GET" } };
const metricsRoute = `${prometheusChain}.${HCM}.route_config.virtual_hosts[0].routes[1]`;

const cases: readonly (readonly [title: string, changes: readonly Change[], finds: RegExp])[] = [
  // Trust
  [
    "roots of a zone that has no edge with it",
    [{ service: "payment", file: "chain.yaml", path: "", value: trustFile("chain", rootOf("chain")) }],
    /^undeclared: wallet\/payment trusts whom the CA of zone chain certifies, .*: ConfigMap lucid-wallet\/payment-trust, data\["chain\.yaml"\]$/,
  ],
  [
    "roots that are not there",
    [{ service: "blocks", file: "wallet.yaml", path: "" }],
    /^refused: ConfigMap lucid-chain\/blocks-envoy, data\["listeners\.yaml"\].*, waits for the roots of zone wallet/,
  ],
  [
    "a root of another zone among them",
    [{ service: "blocks", file: "wallet.yaml", path: "", value: trustFile("wallet", rootOf("ops")) }],
    /^undeclared: whom the CA of zone (ops|wallet) certifies, .* takes for one of zone (ops|wallet), too/,
  ],
  [
    "a chain that trusts another zone",
    [
      inbound(
        `${wallet}.${CONTEXT}.combined_validation_context.validation_context_sds_secret_config.name`,
        "trust/ops",
      ),
    ],
    /^can't be judged: .*roots/,
  ],
  [
    "roots that nobody can read",
    [{ service: "blocks", file: "wallet.yaml", path: "", value: "resources: []" }],
    /^can't be judged: ConfigMap lucid-chain\/blocks-trust, data\["wallet\.yaml"\]: the file has not exactly one secret/,
  ],
  // Authorization
  [
    "a caller too many, by TLS and by RBAC",
    [
      inbound(`${wallet}.${SANS}[1]`, san("wallet", "payment")),
      inbound(`${walletPolicy}.principals[1]`, principal("wallet", "payment")),
    ],
    /^half-open: chain\/blocks lets wallet\/payment send .* to chain\/blocks on http \(127\.0\.0\.1:8080\), which nobody declared, and only the other side/,
  ],
  [
    "a caller too many, by TLS alone",
    [inbound(`${wallet}.${SANS}[1]`, san("wallet", "payment"))],
    /^half-open: chain\/blocks takes wallet\/payment's certificate for http, which nobody declared, and only authorization refuses it/,
  ],
  [
    "a caller too few",
    [inbound(`${wallet}.${HCM}.${RBAC}.policies.router.principals[0]`, principal("wallet", "payment"))],
    /^can't be judged: .*whom the filter chain's TLS does not let in/,
  ],
  [
    "a method more",
    [inbound(rules("or_rules.rules[1].and_rules.rules[0]"), methodIs("PUT"))],
    /^undeclared: ops\/console can send PUT \/echo to chain\/blocks on http .*: ConfigMap lucid-chain\/blocks-envoy, data\["listeners\.yaml"\].*policies\.console, lets it in/,
  ],
  [
    "a method less",
    [inbound(rules("or_rules.rules[1].and_rules.rules[0]"), methodIs("PUT"))],
    /^refused: ops\/console can't send POST \/echo to chain\/blocks on http .*, which is declared/,
  ],
  [
    "a prefix for a path",
    [inbound(rules("or_rules.rules[1].and_rules.rules[1].url_path.path"), { prefix: "/echo" })],
    /^undeclared: ops\/console can send POST \/echo<anything> to chain\/blocks/,
  ],
  [
    "a path that regular expressions tell",
    [inbound(rules("or_rules.rules[1].and_rules.rules[1].url_path.path"), { safe_regex: { regex: "/echo" } })],
    /^can't be judged: .*a path is told by something else than itself or its beginning/,
  ],
  [
    "a policy that is narrower by another header",
    [
      inbound(rules("or_rules.rules[1].and_rules.rules[0]"), {
        header: { name: "x-method", string_match: { exact: "POST" } },
      }),
    ],
    /^can't be judged: .*told by something else than its exact method/,
  ],
  [
    "permissions of another server name",
    [inbound(`${walletPolicy}.permissions[0].requested_server_name.exact`, "http.blocks.ops")],
    /^refused: wallet\/router can't send .* to chain\/blocks on http/,
  ],
  [
    "everybody",
    [inbound(`${walletPolicy}.principals[0]`, { any: true })],
    /^can't be judged: .*principals\[0\]\.any: the field is none/,
  ],
  [
    "a grant by certificate alone",
    [inbound(`${walletPolicy}.principals[0].and_ids.ids[1]`)],
    /^can't be judged: .*the policy admits more than exact identities, each with its own token/,
  ],
  [
    "a certificate with more names",
    [inbound(`${walletPolicy}.principals[0].and_ids.ids[2]`)],
    /^can't be judged: .*a certificate that names other identities besides is taken/,
  ],
  [
    "rules that deny",
    [inbound(`${wallet}.${HCM}.${RBAC}.action`, "DENY")],
    /^can't be judged: .*does not refuse what it does not name/,
  ],
  [
    "no RBAC filter",
    [inbound(`${wallet}.${HCM}.http_filters[envoy.filters.http.rbac]`)],
    /^can't be judged: .*no RBAC filter stands before the router/,
  ],
  [
    "a filter that nobody knows",
    [
      inbound(`${wallet}.${HCM}.http_filters[envoy.filters.http.rbac]`, {
        name: "envoy.filters.http.lua",
        typed_config: { "@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua" },
      }),
    ],
    /^can't be judged: .*lua/,
  ],
  [
    "an end that comes later",
    [
      {
        service: "payment",
        file: "listeners.yaml",
        path: `${chain("inbound|grpc|wallet")}.${HCM}.${RBAC}.policies.router.condition.call_expr.args[1].call_expr.args[0].const_expr.string_value`,
        value: "2100-01-01T00:00:00Z",
      },
    ],
    /^undeclared: wallet\/router can send .* to wallet\/payment on grpc .* from 2099-01-01T00:00:00Z on, which nobody declared/,
  ],
  [
    "an end that comes sooner",
    [
      {
        service: "payment",
        file: "listeners.yaml",
        path: `${chain("inbound|grpc|wallet")}.${HCM}.${RBAC}.policies.router.condition.call_expr.args[1].call_expr.args[0].const_expr.string_value`,
        value: "2098-01-01T00:00:00Z",
      },
    ],
    /^refused: wallet\/router can't send .* to wallet\/payment on grpc .* from 2098-01-01T00:00:00Z on, which is declared/,
  ],
  [
    "no end",
    [
      {
        service: "payment",
        file: "listeners.yaml",
        path: `${chain("inbound|grpc|wallet")}.${HCM}.${RBAC}.policies.router.condition`,
      },
    ],
    /^undeclared: wallet\/router can send .* from 2099-01-01T00:00:00Z on/,
  ],
  [
    "an end that is no instant",
    [
      {
        service: "payment",
        file: "listeners.yaml",
        path: `${chain("inbound|grpc|wallet")}.${HCM}.${RBAC}.policies.router.condition.call_expr.args[1].call_expr.args[0].const_expr.string_value`,
        value: "2098-13-41T00:00:00Z",
      },
    ],
    /^can't be judged: .*is no instant/,
  ],
  [
    "another port of the application behind a chain",
    [inbound(`${wallet}.${HCM}.route_config.virtual_hosts[0].routes[0].route.cluster`, "application|grpc")],
    /^undeclared: wallet\/router can send .* to chain\/blocks on http \(127\.0\.0\.1:8079 by HTTP\/2\)/,
  ],
  [
    "a connection that is no longer told from requests",
    [inbound(`${chain("inbound|peer|wallet")}.${HCM}.route_config.virtual_hosts[0].routes[0].match`, { prefix: "/" })],
    /^can't be judged: .*CONNECT and requests are not told apart/,
  ],
  // Addresses
  [
    "a second listener on an address that others reach",
    [inbound("resources[health].address.socket_address.port_value", 15099)],
    /^can't be judged: .*the listener `health` is on port/,
  ],
  [
    "the admin interface on the network",
    [
      {
        service: "blocks",
        file: "bootstrap.yaml",
        path: "admin.address",
        value: { socket_address: { address: "0.0.0.0", port_value: 15000 } },
      },
    ],
    /^can't be judged: .*admin/,
  ],
  [
    "more of the application in plain text",
    [
      inbound(`resources[health].filter_chains[0].${HCM}.route_config.virtual_hosts[0].routes[1].match`, {
        prefix: "/",
      }),
    ],
    /^can't be judged: .*opens more of the application than the mesh itself asks/,
  ],
  [
    "another path of the application at the inspection listener",
    [inbound(`${metricsRoute}.route.prefix_rewrite`, "/secrets")],
    /^undeclared: ops\/prometheus can send GET \/metrics to chain\/blocks on inspection \(127\.0\.0\.1:8080\/secrets\), which nobody declared/,
  ],
  [
    "metrics of another port of the application",
    [inbound(`${metricsRoute}.route.cluster`, "application|stream")],
    /^undeclared: ops\/prometheus can send GET \/metrics to chain\/blocks on inspection \(127\.0\.0\.1:8091 by HTTP\/2\/internal\/metrics\)/,
  ],
  [
    "metrics by a path that nobody is let ask",
    [inbound(metricsRoute)],
    /^refused: ops\/prometheus can't send GET \/metrics to chain\/blocks on inspection \(127\.0\.0\.1:8080\/internal\/metrics\), which is declared/,
  ],
  [
    "an application's metrics for who may read the configuration alone",
    [
      inbound(`${controllerChain}.${HCM}.route_config.virtual_hosts[0].routes[2]`, {
        match: { path: "/metrics", headers: [{ name: ":method", string_match: { exact: "GET" } }] },
        route: { cluster: "application|http", prefix_rewrite: "/internal/metrics" },
      }),
      inbound(
        `${controllerChain}.${HCM}.${RBAC}.policies.mesh-controller.permissions[0].and_rules.rules[1].and_rules.rules[1].or_rules.rules[2]`,
        { url_path: { path: { exact: "/metrics" } } },
      ),
    ],
    /^can't be judged: .*requests go on to `application\|http`, which is not behind this listener/,
  ],
  [
    "an application's metrics for who may read the configuration alone, by authorization alone",
    [inbound(controllerRule("[2]"), { url_path: { path: { exact: "/metrics" } } })],
    /^half-open: chain\/blocks allows mesh\/mesh-controller GET \/metrics on inspection, which nobody declared/,
  ],
  [
    "the whole configuration for the controller",
    [
      inbound(controllerRule("[0]"), { url_path: { path: { exact: "/config_dump" } } }),
      inbound(`${controllerRoutes}[0].match`, { path: "/config_dump", headers: [GET] }),
    ],
    /^can't be judged: .*opens more of Envoy's admin interface than its readers need/,
  ],
  [
    "the whole configuration for the controller, by authorization alone",
    [inbound(controllerRule("[2]"), { url_path: { path: { exact: "/config_dump" } } })],
    /^half-open: chain\/blocks allows mesh\/mesh-controller GET \/config_dump on inspection, which nobody declared/,
  ],
  [
    "every question under a path of which one is declared, by authorization alone",
    [inbound(controllerRule("[0]"), { url_path: { path: { exact: "/stats" } } })],
    /^half-open: chain\/blocks allows mesh\/mesh-controller GET \/stats on inspection, which nobody declared/,
  ],
  [
    "every question under a path of which one is declared, by the route too",
    [
      inbound(controllerRule("[0]"), { url_path: { path: { exact: "/stats" } } }),
      inbound(`${controllerRoutes}[0].match.headers[1]`),
    ],
    /^can't be judged: .*opens more of Envoy's admin interface than its readers need/,
  ],
  [
    "another question of the controller than is declared",
    [
      inbound(controllerRule("[0].header.string_match.exact"), "/stats?filter=."),
      inbound(`${controllerRoutes}[0].match.headers[1].string_match.exact`, "/stats?filter=."),
    ],
    /^can't be judged: .*opens more of Envoy's admin interface than its readers need/,
  ],
  [
    "a question that nobody is let ask",
    [inbound(controllerRule("[0].header.string_match.exact"), "/stats?filter=.")],
    /^refused: mesh\/mesh-controller can't send GET \/stats\?filter=_manager\. to chain\/blocks on inspection \(admin\), which is declared/,
  ],
  [
    "a question of another path than the route's",
    [inbound(`${controllerRoutes}[0].match.path`, "/config_dump")],
    /^can't be judged: .*the route is for a path and for a question of another/,
  ],
  [
    "what the controller may ask, for Prometheus",
    [
      inbound(`${prometheusChain}.${HCM}.route_config.virtual_hosts[0].routes[2]`, {
        match: { path: "/certs", headers: [GET] },
        route: { cluster: "admin" },
      }),
    ],
    /^can't be judged: .*opens more of Envoy's admin interface than its readers need/,
  ],
  [
    "a controller whose sidecar asks more than is declared",
    [
      {
        service: "mesh-controller",
        file: "listeners.yaml",
        path: `resources[scrape|wallet].filter_chains[0].${HCM}.route_config.virtual_hosts[0].routes[1].match.path`,
        value: "/config_dump",
      },
    ],
    /^refused: mesh\/mesh-controller can't reach wallet\/(router|payment) on inspection, which is declared: .*don't agree on GET \/(config_dump|certs)/,
  ],
  [
    "a controller whose sidecar asks any question under a path of which one is declared",
    [
      {
        service: "mesh-controller",
        file: "listeners.yaml",
        path: `resources[scrape|wallet].filter_chains[0].${HCM}.route_config.virtual_hosts[0].routes[0].match.headers[1]`,
      },
    ],
    /^refused: mesh\/mesh-controller can't reach wallet\/(router|payment) on inspection, which is declared: .*don't agree on GET \/stats$/,
  ],
  [
    "a controller whose sidecar asks at Prometheus' chain",
    [
      {
        service: "mesh-controller",
        file: "clusters.yaml",
        path: "resources[scrape|wallet].transport_socket.typed_config.sni",
        value: "inspection.ops",
      },
    ],
    /^refused: mesh\/mesh-controller can't reach wallet\/(router|payment) on inspection, which is declared: .*goes to inspection\.ops, where .*, takes others' certificates/,
  ],
  [
    "a controller whose sidecar has no way to a zone",
    [{ service: "mesh-controller", file: "listeners.yaml", path: "resources[scrape|wallet]" }],
    /^refused: mesh\/mesh-controller can't reach wallet\/(router|payment) on inspection, which is declared: .*is reached by no listener/,
  ],
  [
    "metrics of an application that tells none",
    [
      {
        service: "router",
        file: "listeners.yaml",
        path: `${prometheusChain}.${HCM}.route_config.virtual_hosts[0].routes[1]`,
        value: {
          match: { path: "/metrics", headers: [{ name: ":method", string_match: { exact: "GET" } }] },
          route: { cluster: "application|http", prefix_rewrite: "/metrics" },
        },
      },
      {
        service: "router",
        file: "listeners.yaml",
        path: `${prometheusChain}.${HCM}.${RBAC}.policies.prometheus.permissions[0].and_rules.rules[1].and_rules.rules[1].url_path.path.exact`,
        value: "/metrics",
      },
    ],
    /^undeclared: ops\/prometheus can send GET \/metrics to wallet\/router on inspection \(127\.0\.0\.1:8080\/metrics\), which nobody declared/,
  ],
  [
    "a scraper that fetches applications' metrics where none are declared",
    [
      {
        service: "prometheus",
        file: "listeners.yaml",
        path: `resources[scrape|wallet].filter_chains[0].${HCM}.route_config.virtual_hosts[0].routes[0].match.path`,
        value: "/metrics",
      },
    ],
    /^refused: ops\/prometheus can't reach wallet\/(router|payment) on inspection, which is declared: .*don't agree on GET \/(metrics|stats\/prometheus)/,
  ],
  [
    "a scraper that does not fetch applications' metrics where some are declared",
    [
      {
        service: "prometheus",
        file: "listeners.yaml",
        path: `resources[scrape|chain].filter_chains[0].${HCM}.route_config.virtual_hosts[0].routes[1]`,
      },
    ],
    /^refused: ops\/prometheus can't reach chain\/blocks on inspection, which is declared: .*don't agree on GET \/metrics/,
  ],
  [
    "another path of the application in plain text",
    [
      inbound(
        `resources[health].filter_chains[0].${HCM}.route_config.virtual_hosts[0].routes[1].route.prefix_rewrite`,
        "/secrets",
      ),
    ],
    /^undeclared: whoever reaches chain\/blocks's pod can ask GET \/health of 127\.0\.0\.1:8080\/secrets in plain text/,
  ],
  // Callers
  [
    "a callee that is looked up as another",
    [
      outbound(
        "resources[outbound|blocks|http].load_assignment.endpoints[0].lb_endpoints[0].endpoint.address.socket_address.address",
        "payment.service.discovery.lucid.internal",
      ),
    ],
    /^refused: wallet\/router can't reach chain\/blocks on http, which is declared: .*looks up payment\.service/,
  ],
  [
    "another resolver",
    [
      outbound(
        "resources[outbound|blocks|http].cluster_type.typed_config.typed_dns_resolver_config.typed_config.resolvers[0].socket_address.address",
        "192.0.2.53",
      ),
    ],
    /^refused: .*asks 192\.0\.2\.53:53 for its address/,
  ],
  [
    "the server name of another port",
    [outbound("resources[outbound|blocks|http].transport_socket.typed_config.sni", "feed.blocks.wallet")],
    /^half-open: wallet\/router has a way to chain\/blocks on feed, which nobody declared, and only the other side refuses it/,
  ],
  [
    "the server name of another zone",
    [outbound("resources[outbound|blocks|http].transport_socket.typed_config.sni", "http.blocks.chain")],
    /^refused: wallet\/router can't reach chain\/blocks on http, .*goes to http\.blocks\.chain at port 15001, where blocks has no filter chain/,
  ],
  [
    "a protocol that the callee doesn't take",
    [inbound(`${chain("inbound|grpc|wallet")}.${CONTEXT}.alpn_protocols`, ["http/1.1"])],
    /^refused: wallet\/router can't reach chain\/blocks on grpc, .*offers h2, and .*http\/1\.1/,
  ],
  [
    "a callee's identity taken for another's",
    [outbound(`resources[outbound|blocks|http].${SANS}[0]`, san("chain", "prometheus"))],
    /^can't be judged: .*the cluster for blocks accepts chain\/prometheus in its place/,
  ],
  [
    "a listener that leads to another callee",
    [
      listener(
        `resources[outbound|blocks|http].filter_chains[0].${HCM}.route_config.virtual_hosts[0].routes[0].route.cluster`,
        "outbound|payment|grpc",
      ),
    ],
    /^can't be judged: .*is not behind this listener/,
  ],
  [
    "a listener at another port",
    [listener("resources[outbound|blocks|http].address.socket_address.port_value", 8888)],
    /^refused: wallet\/router can't reach chain\/blocks on http, which is declared: blocks\.lucid\.internal:80 .* is no listener/,
  ],
  [
    "a listener at an address without a name",
    [listener("resources[outbound|blocks|http].address.socket_address.address", "127.64.0.99")],
    /^undeclared: wallet\/router's application reaches chain\/blocks on http at 127\.64\.0\.99:80, under no name, which nobody declared/,
  ],
  // Names
  [
    "a name too many",
    [listener(`${names()}[0].name`, "console.lucid.internal")],
    /^undeclared: wallet\/router's resolver answers console\.lucid\.internal, which nobody declared/,
  ],
  [
    "a name with another's address",
    [listener(`${names()}[0].endpoint.address_list.address`, ["127.64.0.6", "::ffff:127.64.0.6"])],
    /^undeclared: wallet\/router's application reaches wallet\/payment on grpc as blocks\.lucid\.internal:81/,
  ],
  [
    "a name with an address outside the pod",
    [listener(`${names()}[0].endpoint.address_list.address`, ["192.0.2.1", "::ffff:192.0.2.1"])],
    /^undeclared: wallet\/router's resolver answers blocks\.lucid\.internal with 192\.0\.2\.1/,
  ],
  [
    "a name too few",
    [listener(`${names()}[0]`)],
    /^refused: wallet\/router can't reach chain\/blocks on http, .*resolver doesn't know blocks\.lucid\.internal/,
  ],
  [
    "a name that is answered in one family alone",
    [listener(`${names()}[0].endpoint.address_list.address`, ["127.64.0.4"])],
    /^can't be judged: .*one of A and AAAA is answered as if the name didn't exist/,
  ],
];

function names(): string {
  return "resources[dns].listener_filters[envoy.filters.udp.dns_filter].typed_config.server_config.inline_dns_table.virtual_domains";
}

function methodIs(method: string): Json {
  return { header: { name: ":method", string_match: { exact: method } } };
}

function trustFile(zone: string, root: string): string {
  const indented = (text: string) => text.trimEnd().replaceAll("\n", "\n            ");
  return `resources:
  - '@type': type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret
    name: trust/${zone}
    validation_context:
      trusted_ca:
        inline_string: |
            ${indented(root)}
      crl:
        inline_string: |
            ${indented(root.replaceAll("CERTIFICATE", "X509 CRL"))}
      only_verify_leaf_cert_crl: true
`;
}

describe("of sidecars' files, the proof finds", () => {
  it("nothing where nothing is changed", () => {
    assert.deepEqual(findingsAfter(everyProtocol, []), []);
  });

  for (const [title, changes, finds] of cases) {
    it(title, () => {
      const found = findingsAfter(everyProtocol, changes);
      assert.ok(
        found.some((text) => finds.test(text)),
        JSON.stringify(found, undefined, 2),
      );
    });
  }
});
