import type { ResourceRule } from "../../../policies/judgement/rule";
import { envoyListenersMtls } from "../../../policies/rules/envoy-listeners-mtls";
import { envoyUpstreamsMtls } from "../../../policies/rules/envoy-upstreams-mtls";
import { envoyConfigMap, sidecarFiles, trustConfigMap, trustFile } from "../fixtures/envoy";
import type { SidecarFiles } from "../fixtures/envoy";
import { configMap } from "../fixtures/objects";
import { edit } from "../support/edit";
import type { Json, JsonObject } from "../support/edit";
import { assertFinds, assertPasses } from "../support/judge";
import { UNKNOWN } from "../support/unknown";
import type { Mutation } from "../support/judge";

/** Declares a test for each change of one field of one of the sidecar's files. */
function refusesEachIn(rule: ResourceRule, file: keyof SidecarFiles, mutations: readonly Mutation[]): void {
  for (const { title, path, value, finds } of mutations) {
    it(`refuses ${title}`, () => {
      const files = sidecarFiles();
      assertFinds(rule, envoyConfigMap({ ...files, [file]: edit(files[file], path, value) }), finds);
    });
  }
}

const INBOUND = "resources[0]";
const CHAIN = `${INBOUND}.filter_chains[0]`;
const TLS = `${CHAIN}.transport_socket.typed_config`;
const COMMON = `${TLS}.common_tls_context`;
const VALIDATION = `${COMMON}.combined_validation_context`;
const SANS = `${VALIDATION}.default_validation_context.match_typed_subject_alt_names`;
const HCM = `${CHAIN}.filters[2].typed_config`;
const CHECK = `${HCM}.http_filters[0]`;
const RBAC = `${HCM}.http_filters[1].typed_config`;
const POLICY = `${RBAC}.rules.policies["admin-ui"]`;
const IDS = `${POLICY}.principals[0].and_ids.ids`;
const URIS = `${CHAIN}.filters[1]`;
const ONLY = `${IDS}[2].filter_state`;
const TOKEN = `${IDS}[1].sourced_metadata.metadata_matcher`;
/** A grant that ends, as an expression tree. */
const ENDS = (overrides: JsonObject = {}): JsonObject => ({
  call_expr: {
    function: "_<_",
    args: [
      { select_expr: { operand: { ident_expr: { name: "request" } }, field: "time" } },
      { call_expr: { function: "timestamp", args: [{ const_expr: { string_value: "2026-12-31T18:00:00Z" } }] } },
    ],
    ...overrides,
  },
});
const ROUTE = `${HCM}.route_config.virtual_hosts[0].routes[0]`;
const TCP = `${INBOUND}.filter_chains[1]`;
const OUTBOUND = "resources[1]";
const INSPECTION = "resources[4].filter_chains[0]";
const DNS = "resources[2]";
const HEALTH = "resources[3]";
const ADMIN = "resources[5]";
const ops = (service: string) => `spiffe://ops.lucid.internal/ns/lucid-ops/sa/${service}`;

const PEM_ROOT = `-----BEGIN CERTIFICATE-----\n${"MIIB".repeat(8)}\n-----END CERTIFICATE-----\n`;
const PEM_LIST = PEM_ROOT.replaceAll("CERTIFICATE", "X509 CRL");

const ROUTES = "filters[1].typed_config.route_config.virtual_hosts[0].routes";
const ASKED = `filter_chains[1].${ROUTES}`;
const GET = { name: ":method", string_match: { exact: "GET" } };
/** What a reader of the inspection listener may not be given, by its own chain. */
const INSPECTION_ROUTES: readonly (readonly [title: string, path: string, value?: Json])[] = [
  ["the controller every question under a path of which it has one", `${ASKED}[0].match.headers[1]`],
  ["the controller another question", `${ASKED}[0].match.headers[1].string_match.exact`, "/stats?filter=."],
  ["the controller every question but one", `${ASKED}[0].match.headers[1].invert_match`, true],
  ["the controller any method", `${ASKED}[0].match.headers[0]`],
  ["the controller the whole configuration", `${ASKED}[1].match.path`, "/config_dump"],
  ["the controller all that begins so", `${ASKED}[1].match`, { prefix: "/certs", headers: [GET] }],
  ["the controller Prometheus' statistics", `${ASKED}[1].match.path`, "/stats/prometheus"],
  [
    "the controller the application's metrics",
    `${ASKED}[1]`,
    { match: { path: "/metrics", headers: [GET] }, route: { cluster: "application|http", prefix_rewrite: "/m" } },
  ],
  ["Prometheus what the controller may ask", `filter_chains[0].${ROUTES}[0].match.path`, "/certs"],
];

describe("envoy-listeners-mtls", () => {
  it("passes the happy case", () => {
    assertPasses(envoyListenersMtls, envoyConfigMap());
  });

  it("passes a question for health with a query, as a service's health.path may have one", () => {
    const files = sidecarFiles();
    const route = `${HEALTH}.filter_chains[0].filters[0].typed_config.route_config.virtual_hosts[0].routes[1].route`;
    const listeners = edit(files.listeners, `${route}.prefix_rewrite`, "/health?status=200");
    assertPasses(envoyListenersMtls, envoyConfigMap({ ...files, listeners }));
  });

  describe("one identity a certificate", () => {
    const KEPT = `${URIS}.typed_config.on_downstream_tls_handshake[0]`;
    const SAYS = /not every URI SAN of the peer/;
    const OTHERS = /names other identities besides/;
    const second = (service: string): Json => ({
      filter_state: { key: "lucid.peer-uri-sans", string_match: { exact: ops(service) } },
    });
    refusesEachIn(envoyListenersMtls, "listeners", [
      { title: "a chain that keeps no names", path: URIS, finds: /nothing keeps all names/ },
      { title: "a TCP chain that keeps no names", path: `${TCP}.filters[1]`, finds: /nothing keeps all names/ },
      { title: "readers whose names are not kept", path: `${INSPECTION}.filters[0]`, finds: /nothing keeps all names/ },
      {
        title: "nothing that is kept",
        path: `${URIS}.typed_config.on_downstream_tls_handshake`,
        finds: /not exactly the peer/,
      },
      {
        title: "another moment",
        path: `${URIS}.typed_config.on_new_connection`,
        value: [],
        finds: /none that the rule models/,
      },
      { title: "another key", path: `${KEPT}.object_key`, value: "other", finds: SAYS },
      {
        title: "another value",
        path: `${KEPT}.format_string.text_format_source.inline_string`,
        value: ops("admin-ui"),
        finds: SAYS,
      },
      {
        title: "the first name alone",
        path: `${KEPT}.format_string.text_format_source.inline_string`,
        value: "%DOWNSTREAM_PEER_URI_SAN(0)%",
        finds: SAYS,
      },
      { title: "another kind of object", path: `${KEPT}.factory_key`, value: "envoy.bool", finds: SAYS },
      {
        title: "a value that is left out when empty",
        path: `${KEPT}.skip_if_empty`,
        value: true,
        finds: /none that the rule models/,
      },
      { title: "a principal without it", path: `${IDS}[2]`, finds: OTHERS },
      {
        title: "a principal that asks for another's name",
        path: `${ONLY}.string_match.exact`,
        value: ops("jaeger"),
        finds: OTHERS,
      },
      {
        title: "a principal that asks for a beginning",
        path: `${ONLY}.string_match`,
        value: { prefix: ops("admin-ui") },
        finds: OTHERS,
      },
      { title: "a principal that asks another key", path: `${ONLY}.key`, value: "other", finds: OTHERS },
      {
        title: "a principal with a fourth condition",
        path: `${IDS}[3]`,
        value: second("admin-ui"),
        finds: /more than exact identities/,
      },
    ]);
  });

  describe("transport", () => {
    refusesEachIn(envoyListenersMtls, "listeners", [
      { title: "a chain in plain text", path: `${CHAIN}.transport_socket`, finds: /takes plain text/ },
      { title: "no client certificate", path: `${TLS}.require_client_certificate`, finds: /no client certificate/ },
      {
        title: "an optional client certificate",
        path: `${TLS}.require_client_certificate`,
        value: false,
        finds: /no client certificate/,
      },
      {
        title: "a client certificate in another spelling",
        path: `${TLS}.require_client_certificate`,
        value: "yes",
        finds: /no client certificate/,
      },
      {
        title: "a second spelling beside it",
        path: `${TLS}.requireClientCertificate`,
        value: false,
        finds: /none that the rule models/,
      },
      {
        title: "resumed sessions",
        path: `${TLS}.disable_stateless_session_resumption`,
        value: false,
        finds: /resumed session/,
      },
      {
        title: "TLS 1.2",
        path: `${COMMON}.tls_params.tls_minimum_protocol_version`,
        value: "TLSv1_2",
        finds: /another version/,
      },
      {
        title: "no minimum version",
        path: `${COMMON}.tls_params.tls_minimum_protocol_version`,
        finds: /another version/,
      },
      {
        title: "a raw socket",
        path: `${CHAIN}.transport_socket.name`,
        value: "envoy.transport_sockets.raw_buffer",
        finds: /has no place here/,
      },
      {
        title: "a socket of another type than its name",
        path: `${TLS}["@type"]`,
        value: "type.googleapis.com/envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer",
        finds: /configured as something else/,
      },
      {
        title: "another certificate",
        path: `${COMMON}.tls_certificate_sds_secret_configs[0].name`,
        value: "other",
        finds: /service's own certificate/,
      },
      {
        title: "a certificate inline",
        path: `${COMMON}.tls_certificates`,
        value: [],
        finds: /none that the rule models/,
      },
      {
        title: "no validation of the peer",
        path: `${COMMON}.combined_validation_context`,
        finds: /every certificate|one zone's roots/,
      },
      {
        title: "untrusted chains",
        path: `${VALIDATION}.default_validation_context.trust_chain_verification`,
        value: "ACCEPT_UNTRUSTED",
        finds: /none that the rule models/,
      },
      { title: "no identity", path: SANS, value: [], finds: /every certificate/ },
      {
        title: "a prefix of identities",
        path: `${SANS}[0].matcher`,
        value: { prefix: ops("") },
        finds: /no exact identity/,
      },
      { title: "a DNS name", path: `${SANS}[0].san_type`, value: "DNS", finds: /no exact identity/ },
      {
        title: "an identity of another zone than the roots",
        path: `${SANS}[0].matcher.exact`,
        value: "spiffe://chain.lucid.internal/ns/lucid-chain/sa/lucid-blocks",
        finds: /no exact identity of zone ops/,
      },
      {
        title: "a trust domain with another zone's namespace",
        path: `${SANS}[0].matcher.exact`,
        value: "spiffe://ops.lucid.internal/ns/lucid-wallet/sa/x",
        finds: /no exact identity/,
      },
      {
        title: "a caller that the ceiling does not allow",
        path: `${SANS}[0].matcher.exact`,
        value: ops("jaeger"),
        finds: /ops\/jaeger reach wallet\/payout-router/,
      },
      {
        title: "roots under another name",
        path: `${VALIDATION}.validation_context_sds_secret_config.name`,
        value: "trust/all",
        finds: /one zone's roots/,
      },
      {
        title: "roots from another file",
        path: `${VALIDATION}.validation_context_sds_secret_config.sds_config.path_config_source.path`,
        value: "/etc/envoy/config/..data/chain.yaml",
        finds: /one zone's roots/,
      },
      {
        title: "roots from another volume than the listeners'",
        path: `${VALIDATION}.validation_context_sds_secret_config.sds_config.path_config_source.path`,
        value: "/etc/envoy/trust/..data/ops.yaml",
        finds: /one zone's roots/,
      },
      {
        title: "another zone's roots",
        path: `${CHAIN}.filter_chain_match.server_names[0]`,
        value: "http.payout-router.wallet",
        finds: /server name/,
      },
      {
        title: "another service's server name",
        path: `${CHAIN}.filter_chain_match.server_names[0]`,
        value: "http.tron-payment.ops",
        finds: /server name/,
      },
      {
        title: "a wildcard server name",
        path: `${CHAIN}.filter_chain_match.server_names[0]`,
        value: "*.ops",
        finds: /server name/,
      },
      { title: "no server name", path: `${CHAIN}.filter_chain_match.server_names`, finds: /server name/ },
      {
        title: "a default chain",
        path: `${INBOUND}.default_filter_chain`,
        value: {},
        finds: /none that the rule models/,
      },
      { title: "no TLS inspector", path: `${INBOUND}.listener_filters`, finds: /reads the server name/ },
    ]);
  });

  describe("the end of a grant", () => {
    const ending = (path: string, value: Json) => {
      const files = sidecarFiles();
      const listeners = edit(files.listeners, `${POLICY}.condition`, ENDS());
      return envoyConfigMap({ ...files, listeners: edit(listeners, `${POLICY}.condition${path}`, value) });
    };

    it("passes as it is rendered", () => {
      assertPasses(envoyListenersMtls, ending("", ENDS()));
    });

    it("does not lift the ceiling", () => {
      const files = sidecarFiles();
      const listeners = edit(files.listeners, `${SANS}[0].matcher.exact`, ops("jaeger"));
      const resource = envoyConfigMap({ ...files, listeners: edit(listeners, `${POLICY}.condition`, ENDS()) });
      assertFinds(envoyListenersMtls, resource, /ops\/jaeger reach wallet\/payout-router/);
    });

    const TREE = ENDS().call_expr as { args: Json[] };
    const others: [title: string, path: string, value: Json][] = [
      ["a beginning in place of an end", ".call_expr.function", "_>_"],
      ["an end that is none", ".call_expr.function", "_||_"],
      ["sides exchanged", ".call_expr.args", [...TREE.args].reverse()],
      ["a third operand", ".call_expr.args[2]", { const_expr: { bool_value: true } }],
      ["an instant of another form", ".call_expr.args[1].call_expr.args[0].const_expr.string_value", "soon"],
      ["an offset", ".call_expr.args[1].call_expr.args[0].const_expr.string_value", "2026-12-31T18:00:00+02:00"],
      ["a number for an instant", ".call_expr.args[1].call_expr.args[0].const_expr", { int64_value: 7 }],
      ["another time than the request's", ".call_expr.args[0].select_expr.field", "duration"],
      ["a presence test", ".call_expr.args[0].select_expr.test_only", true],
      ["another root", ".call_expr.args[0].select_expr.operand.ident_expr.name", "response"],
      ["a receiver", ".call_expr.target", { ident_expr: { name: "request" } }],
      ["true", "", { const_expr: { bool_value: true } }],
      ["nothing", "", {}],
      ["a text", "", "request.time < timestamp('2026-12-31T18:00:00Z')"],
    ];
    for (const [title, path, value] of others) {
      it(`refuses ${title}`, () => {
        assertFinds(envoyListenersMtls, ending(path, value), /something else than the end|is not a (map|list)/);
      });
    }
  });

  describe("the identity token", () => {
    refusesEachIn(envoyListenersMtls, "listeners", [
      { title: "no check of it", path: CHECK, finds: /no filter asks for the caller's token first/ },
      {
        title: "a check under another name",
        path: `${CHECK}.name`,
        value: "envoy.filters.http.jwt_authn",
        finds: /not the check of identity tokens/,
      },
      {
        title: "a configuration from elsewhere",
        path: `${CHECK}.config_discovery.config_source.path_config_source.path`,
        value: "/etc/envoy/config/tokens.yaml",
        finds: /not the check of identity tokens/,
      },
      {
        title: "a folder that is not watched",
        path: `${CHECK}.config_discovery.config_source.path_config_source.watched_directory`,
        finds: /not the check of identity tokens/,
      },
      {
        title: "a configuration of another filter",
        path: `${CHECK}.config_discovery.type_urls[1]`,
        value: "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua",
        finds: /not the check of identity tokens/,
      },
      {
        title: "a configuration that stands in for it",
        path: `${CHECK}.config_discovery.default_config`,
        value: {},
        finds: /none that the rule models/,
      },
      {
        title: "a check that starts without waiting for it",
        path: `${CHECK}.config_discovery.apply_default_config_without_warming`,
        value: true,
        finds: /none that the rule models/,
      },
      {
        title: "a check that may be left out",
        path: `${CHECK}.is_optional`,
        value: true,
        finds: /none that the rule models/,
      },
      { title: "a principal without it", path: `${IDS}[1]`, finds: /each with its own token/ },
      {
        title: "a principal that is it alone",
        path: `${IDS}[0]`,
        finds: /each with its own token/,
      },
      {
        title: "a certificate alone, as it was",
        path: `${POLICY}.principals[0]`,
        value: { authenticated: { principal_name: { exact: ops("admin-ui") } } },
        finds: /each with its own token/,
      },
      {
        title: "one factor or the other",
        path: `${POLICY}.principals[0]`,
        value: { or_ids: { ids: [] } },
        finds: /each with its own token/,
      },
      {
        title: "another service's token",
        path: `${TOKEN}.value.string_match.exact`,
        value: "system:serviceaccount:lucid-ops:jaeger",
        finds: /each with its own token/,
      },
      {
        title: "the token of another namespace",
        path: `${TOKEN}.value.string_match.exact`,
        value: "system:serviceaccount:lucid-wallet:admin-ui",
        finds: /each with its own token/,
      },
      {
        title: "a prefix of subjects",
        path: `${TOKEN}.value.string_match`,
        value: { prefix: "system:serviceaccount:" },
        finds: /each with its own token/,
      },
      { title: "an inverted match", path: `${TOKEN}.invert`, value: true, finds: /none that the rule models/ },
      { title: "another claim", path: `${TOKEN}.path[1].key`, value: "aud", finds: /each with its own token/ },
      {
        title: "claims of another filter",
        path: `${TOKEN}.filter`,
        value: "envoy.filters.http.header_to_metadata",
        finds: /each with its own token/,
      },
      {
        title: "claims of the route in place of the request's",
        path: `${IDS}[1].sourced_metadata.metadata_source`,
        value: "ROUTE",
        finds: /none that the rule models/,
      },
      {
        title: "another check of tokens that writes in its place",
        path: `${HCM}.http_filters[1]`,
        value: {
          name: "envoy.filters.http.jwt_authn",
          typed_config: {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
            providers: { users: { payload_in_metadata: "identity" } },
          },
        },
        finds: /stand for the caller's identity/,
      },
      {
        title: "a check on the application's own way out",
        path: `${OUTBOUND}.filter_chains[0].filters[0].typed_config.http_filters[0]`,
        value: { name: "identity-token", config_discovery: {} },
        finds: /asks for a token|not the check of identity tokens/,
      },
    ]);

    const PROVIDER = "resources[0].typed_config.providers.cluster";
    const RULE = "resources[0].typed_config.rules[0]";
    refusesEachIn(envoyListenersMtls, "tokens", [
      { title: "no rule", path: "resources[0].typed_config.rules", value: [], finds: /no request needs a token/ },
      {
        title: "a missing token",
        path: `${RULE}.requires`,
        value: { allow_missing: {} },
        finds: /none that the rule models|without a token/,
      },
      {
        title: "a missing token as another way",
        path: `${RULE}.requires`,
        value: { requires_any: { requirements: [{ provider_name: "cluster" }, { allow_missing_or_failed: {} }] } },
        finds: /none that the rule models/,
      },
      { title: "a rule that requires nothing", path: `${RULE}.requires`, finds: /without a token/ },
      { title: "another audience", path: `${PROVIDER}.audiences[0]`, value: "x", finds: /for others than the mesh/ },
      { title: "any audience", path: `${PROVIDER}.audiences`, finds: /for others than the mesh/ },
      {
        title: "a token that is passed on",
        path: `${PROVIDER}.forward`,
        value: true,
        finds: /given its caller's token/,
      },
      {
        title: "claims that are passed on",
        path: `${PROVIDER}.forward_payload_header`,
        value: "x",
        finds: /none that/,
      },
      { title: "tokens in the query", path: `${PROVIDER}.from_params`, value: ["t"], finds: /none that/ },
      {
        title: "tokens in another header",
        path: `${PROVIDER}.from_headers[0].name`,
        value: "authorization",
        finds: /own header/,
      },
      { title: "tokens of a long life", path: `${PROVIDER}.max_lifetime`, value: "3600s", finds: /longer life/ },
      { title: "tokens of any life", path: `${PROVIDER}.max_lifetime`, finds: /longer life/ },
      { title: "a clock far off", path: `${PROVIDER}.clock_skew_seconds`, value: 300, finds: /expired token/ },
      { title: "claims out of sight", path: `${PROVIDER}.payload_in_metadata`, value: "x", finds: /does not find/ },
      {
        title: "an issuer of the stack's own",
        path: `${PROVIDER}.issuer`,
        value: "https://x.example",
        finds: /whose tokens/,
      },
      {
        title: "keys of the stack's own",
        path: `${PROVIDER}.local_jwks.inline_string`,
        value: '{"keys":[]}',
        finds: /whose tokens/,
      },
      { title: "keys from elsewhere", path: `${PROVIDER}.remote_jwks`, value: {}, finds: /none that/ },
      { title: "a second issuer", path: "resources[0].typed_config.providers.other", value: {}, finds: /none that/ },
      { title: "an extension of another name", path: "resources[0].name", value: "other", finds: /not the check/ },
    ]);

    it("refuses keys that the stack brings in place of the controller", () => {
      assertFinds(envoyListenersMtls, configMap("mesh-tokens", { "tokens.yaml": "resources: []" }), /no sidecar's/);
    });

    const INJECTOR =
      'resources[1].typed_extension_protocol_options["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"]';
    const CONFIG = `${INJECTOR}.http_filters[0].typed_config`;
    refusesEachIn(envoyUpstreamsMtls, "clusters", [
      { title: "calls without it", path: `${INJECTOR}.http_filters[0]`, finds: /without the sidecar's identity token/ },
      {
        title: "calls without options",
        path: "resources[1].typed_extension_protocol_options",
        finds: /without the sidecar's/,
      },
      {
        title: "one of the application's choice",
        path: `${CONFIG}.overwrite`,
        value: false,
        finds: /application could choose/,
      },
      {
        title: "calls that may leave without",
        path: `${CONFIG}.allow_request_without_credential`,
        value: true,
        finds: /could leave without/,
      },
      {
        title: "another header",
        path: `${CONFIG}.credential.typed_config.header`,
        value: "authorization",
        finds: /in its own header/,
      },
      {
        title: "another secret",
        path: `${CONFIG}.credential.typed_config.credential.name`,
        value: "leaf",
        finds: /in its own header/,
      },
      {
        title: "another kind of credential",
        path: `${CONFIG}.credential.name`,
        value: "envoy.http.injected_credentials.oauth2",
        finds: /has no place here/,
      },
      {
        title: "it going to the application",
        path: "resources[0].typed_extension_protocol_options",
        value: { "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": { http_filters: [] } },
        finds: /what the application is sent/,
      },
    ]);

    refusesEachIn(envoyUpstreamsMtls, "credential", [
      {
        title: "another file as the token",
        path: "resources[0].generic_secret.secret.filename",
        value: "/var/run/secrets/kubernetes.io/serviceaccount/token",
        finds: /sidecar's own token/,
      },
      {
        title: "a token in the file itself",
        path: "resources[0].generic_secret.secret",
        value: { inline_string: "x" },
        finds: /none that the rule models/,
      },
    ]);
  });

  describe("authorization", () => {
    refusesEachIn(envoyListenersMtls, "listeners", [
      { title: "no RBAC filter", path: `${HCM}.http_filters[1]`, finds: /no RBAC filter/ },
      {
        title: "an RBAC filter that is switched off",
        path: `${HCM}.http_filters[1].disabled`,
        value: true,
        finds: /none that the rule models/,
      },
      { title: "RBAC without rules", path: `${RBAC}.rules`, finds: /does not refuse|names no policy/ },
      { title: "RBAC that only logs", path: `${RBAC}.rules.action`, value: "LOG", finds: /does not refuse/ },
      { title: "RBAC that denies the named", path: `${RBAC}.rules.action`, value: "DENY", finds: /does not refuse/ },
      { title: "a matcher beside the rules", path: `${RBAC}.matcher`, value: {}, finds: /none that the rule models/ },
      {
        title: "any principal",
        path: `${POLICY}.principals`,
        value: [{ any: true }],
        finds: /more than exact identities/,
      },
      {
        title: "any principal beside an exact one",
        path: `${POLICY}.principals[1]`,
        value: { any: true },
        finds: /more than exact identities/,
      },
      {
        title: "every authenticated principal",
        path: `${IDS}[0].authenticated`,
        value: {},
        finds: /more than exact identities/,
      },
      {
        title: "a prefix of principals",
        path: `${IDS}[0].authenticated.principal_name`,
        value: { prefix: "spiffe://" },
        finds: /more than exact identities|none that the rule models/,
      },
      {
        title: "a negated principal",
        path: `${POLICY}.principals[0]`,
        value: { not_id: { any: false } },
        finds: /more than exact identities/,
      },
      {
        title: "a principal that TLS refuses",
        path: `${IDS}[0].authenticated.principal_name.exact`,
        value: ops("jaeger"),
        finds: /does not let in/,
      },
      {
        title: "any permission",
        path: `${POLICY}.permissions`,
        value: [{ any: true }],
        finds: /the permission is `any`/,
      },
      { title: "no permission", path: `${POLICY}.permissions`, value: [], finds: /names none/ },
      {
        title: "any permission inside another",
        path: `${POLICY}.permissions[0]`,
        value: { or_rules: { rules: [{ any: true }] } },
        finds: /the permission is `any`/,
      },
      {
        title: "a filter of a type that no rule knows",
        path: `${HCM}.http_filters[1].name`,
        value: "envoy.filters.http.lua",
        finds: /has no place here/,
      },
      {
        title: "a route that switches RBAC off",
        path: `${ROUTE}.typed_per_filter_config`,
        value: {},
        finds: /none that the rule models/,
      },
      {
        title: "an upgrade with filters of its own",
        path: `${HCM}.upgrade_configs`,
        value: [{ upgrade_type: "websocket", filters: [] }],
        finds: /none that the rule models/,
      },
      {
        title: "a claimed client certificate",
        path: `${HCM}.forward_client_cert_details`,
        value: "ALWAYS_FORWARD_ONLY",
        finds: /claim to be another/,
      },
      { title: "connections without RBAC", path: `${TCP}.filters[2]`, finds: /no RBAC filter/ },
      {
        title: "a tunnel",
        path: `${TCP}.filters[3].typed_config.tunneling_config`,
        value: {},
        finds: /leaves without the sidecar's identity token/,
      },
      {
        title: "connections that go on to another service",
        path: `${TCP}.filters[3].typed_config.cluster`,
        value: "outbound|lucid-blocks|http",
        finds: /not behind this listener/,
      },
      {
        title: "requests that go on to another service",
        path: `${ROUTE}.route.cluster`,
        value: "outbound|lucid-blocks|http",
        finds: /not behind this listener/,
      },
      {
        title: "a share of the requests that goes on to another service",
        path: `${ROUTE}.route`,
        value: {
          weighted_clusters: {
            clusters: [
              { name: "application|http", weight: 99 },
              { name: "outbound|lucid-blocks|http", weight: 1 },
            ],
          },
        },
        finds: /not behind this listener/,
      },
      {
        title: "shares that change a request",
        path: `${ROUTE}.route`,
        value: {
          weighted_clusters: {
            clusters: [
              { name: "application|http", weight: 100, request_headers_to_remove: ["x-forwarded-client-cert"] },
            ],
          },
        },
        finds: /none that the rule models/,
      },
      {
        title: "shares that the request chooses",
        path: `${ROUTE}.route`,
        value: {
          weighted_clusters: { clusters: [{ name: "application|http", weight: 100 }], header_name: "x-random" },
        },
        finds: /none that the rule models/,
      },
      ...[0, 22].map((attempts) => ({
        title: `a connection that is tried ${String(attempts)} times`,
        path: `${TCP}.filters[3].typed_config.max_connect_attempts`,
        value: attempts,
        finds: /tried without a bound, or never/,
      })),
      {
        title: "pauses between tries that nobody knows",
        path: `${TCP}.filters[3].typed_config.backoff_options`,
        value: { base_interval: "0.025s", rate_limited: true },
        finds: /none that the rule models/,
      },
      {
        title: "a share of the connections that goes on to another service",
        path: `${TCP}.filters[3].typed_config.weighted_clusters`,
        value: { clusters: [{ name: "outbound|lucid-blocks|http", weight: 1 }] },
        finds: /not behind this listener/,
      },
      {
        title: "requests that choose their destination",
        path: `${ROUTE}.route`,
        value: { cluster_header: "x" },
        finds: /can't be told/,
      },
      {
        title: "callers at the admin interface",
        path: `${ROUTE}.route.cluster`,
        value: "admin",
        finds: /admin interface/,
      },
    ]);
  });

  describe("listeners", () => {
    refusesEachIn(envoyListenersMtls, "listeners", [
      { title: "a shared port", path: `${INBOUND}.enable_reuse_port`, value: true, finds: /share of the connections/ },
      { title: "a port shared by default", path: `${INBOUND}.enable_reuse_port`, finds: /share of the connections/ },
      {
        title: "an inbound listener on another port",
        path: `${INBOUND}.address.socket_address.port_value`,
        value: 8443,
        finds: /its port is 15001/,
      },
      {
        title: "an outbound listener on the network",
        path: `${OUTBOUND}.address.socket_address.address`,
        value: "0.0.0.0",
        finds: /takes plain text at `0\.0\.0\.0`/,
      },
      {
        title: "an admin listener on the network",
        path: `${ADMIN}.address.socket_address.address`,
        value: "0.0.0.0",
        finds: /takes plain text/,
      },
      {
        title: "a second address",
        path: `${OUTBOUND}.additional_addresses`,
        value: [{}],
        finds: /none that the rule models/,
      },
      {
        title: "a listener of an unknown name",
        path: `${OUTBOUND}.name`,
        value: "backdoor",
        finds: /no listener `backdoor`/,
      },
      { title: "a listener that stands there twice", path: `${OUTBOUND}.name`, value: "inbound", finds: /twice/ },
      { title: "no path normalization", path: `${HCM}.normalize_path`, finds: /normalize_path/ },
      { title: "unmerged slashes", path: `${HCM}.merge_slashes`, value: false, finds: /merge_slashes/ },
      {
        title: "escaped slashes",
        path: `${HCM}.path_with_escaped_slashes_action`,
        value: "KEEP_UNCHANGED",
        finds: /path_with_escaped_slashes_action/,
      },
      {
        title: "callers who get around the limits",
        path: `${INBOUND}.bypass_overload_manager`,
        value: true,
        finds: /none that the rule models/,
      },
      {
        title: "a laxer reading of HTTP/1.1",
        path: `${HCM}.http_protocol_options`,
        value: { enable_trailers: true, allow_chunked_length: true },
        finds: /none that the rule models/,
      },
      {
        title: "a tunnel that adds another header than the token",
        path: `${OUTBOUND}.filter_chains[0].filters[0]`,
        value: {
          name: "envoy.filters.network.tcp_proxy",
          typed_config: {
            "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
            stat_prefix: "outbound|lucid-blocks|http",
            cluster: "outbound|lucid-blocks|http",
            tunneling_config: {
              hostname: "lucid-blocks.lucid.internal:80",
              headers_to_add: [{ header: { key: "x-forwarded-client-cert", value: "forged" } }],
            },
          },
        },
        finds: /header is not the identity token/,
      },
      { title: "routes from elsewhere", path: `${HCM}.route_config`, finds: /come from elsewhere/ },
      {
        title: "routes that check their clusters",
        path: `${HCM}.route_config.validate_clusters`,
        value: true,
        finds: /rejected for good/,
      },
      {
        title: "the whole admin interface at the health port",
        path: `${HEALTH}.filter_chains[0].filters[0].typed_config.route_config.virtual_hosts[0].routes[0].match`,
        value: { prefix: "/" },
        finds: /admin interface/,
      },
      {
        title: "a question with a query at inspection",
        path: `${INSPECTION}.filters[1].typed_config.route_config.virtual_hosts[0].routes[1].route.prefix_rewrite`,
        value: "/metrics?all",
        finds: /opens more of the application than the mesh itself asks/,
      },
      ...INSPECTION_ROUTES.map(([title, path, value]): Mutation => ({
        title,
        path: `resources[4].${path}`,
        value,
        finds: /admin interface than its readers need|not behind this listener/,
      })),
      ...["health", "inspection"].flatMap((name): Mutation[] => {
        const routes =
          name === "health"
            ? `${HEALTH}.filter_chains[0].filters[0].typed_config.route_config.virtual_hosts[0].routes`
            : `${INSPECTION}.filters[1].typed_config.route_config.virtual_hosts[0].routes`;
        const finds = /opens more of the application than the mesh itself asks/;
        return [
          {
            title: `any path of the application at ${name}`,
            path: `${routes}[1].match`,
            value: { prefix: "/" },
            finds,
          },
          { title: `another path of the application at ${name}`, path: `${routes}[1].match.path`, value: "/x", finds },
          { title: `any method to the application at ${name}`, path: `${routes}[1].match.headers`, finds },
          {
            title: `all methods but GET to the application at ${name}`,
            path: `${routes}[1].match.headers[0].invert_match`,
            value: true,
            finds,
          },
          {
            title: `a path of the request's choice at ${name}`,
            path: `${routes}[1].route.prefix_rewrite`,
            finds,
          },
          {
            title: `a callee behind ${name}`,
            path: `${routes}[1].route.cluster`,
            value: "outbound|lucid-blocks|http",
            finds: /not behind this listener/,
          },
          {
            title: `a rewritten path of Envoy's own interface at ${name}`,
            path: `${routes}[0].route.prefix_rewrite`,
            value: "/quitquitquit",
            finds: /admin interface/,
          },
        ];
      }),
      {
        title: "a rewritten path of a call",
        path: `${ROUTE}.route.prefix_rewrite`,
        value: "/admin",
        finds: /none that the rule models/,
      },
      {
        title: "another admin path",
        path: `${ADMIN}.filter_chains[0].filters[0].typed_config.route_config.virtual_hosts[0].routes[0].match.path`,
        value: "/quitquitquit",
        finds: /admin interface/,
      },
      {
        title: "admin by any method",
        path: `${ADMIN}.filter_chains[0].filters[0].typed_config.route_config.virtual_hosts[0].routes[0].match.headers`,
        finds: /admin interface/,
      },
      {
        title: "a resolver that asks others",
        path: `${DNS}.listener_filters[0].typed_config.client_config`,
        value: {},
        finds: /none that the rule models/,
      },
      {
        title: "a resolver on the network",
        path: `${DNS}.address.socket_address.address`,
        value: "0.0.0.0",
        finds: /takes plain text/,
      },
      {
        title: "something else than a listener",
        path: `${OUTBOUND}["@type"]`,
        value: "type.googleapis.com/x.Y",
        finds: /is no listener/,
      },
      { title: "a list of listeners that is none", path: "resources", value: "x", finds: /is not a list/ },
    ]);
  });

  describe("bootstrap", () => {
    refusesEachIn(envoyListenersMtls, "bootstrap", [
      { title: "a static listener", path: "static_resources.listeners", value: [], finds: /none that the rule models/ },
      {
        title: "admin on the network",
        path: "admin.address",
        value: { socket_address: { address: "0.0.0.0", port_value: 15000 } },
        finds: /socket in the sidecar's own volume/,
      },
      {
        title: "listeners from elsewhere",
        path: "dynamic_resources.lds_config.path_config_source.path",
        value: "/tmp/l.yaml",
        finds: /elsewhere than the judged files/,
      },
      {
        title: "listeners from a server",
        path: "dynamic_resources.ads_config",
        value: {},
        finds: /none that the rule models/,
      },
      {
        title: "a runtime setting",
        path: "layered_runtime.layers[0].static_layer",
        value: { x: true },
        finds: /switch a check of Envoy off/,
      },
      {
        title: "calls under way ended by overload",
        path: "overload_manager",
        value: { actions: [{ name: "envoy.overload_actions.reset_high_memory_stream", triggers: [] }] },
        finds: /something that the rule doesn't model/,
      },
      {
        title: "an unknown monitor of overload",
        path: "overload_manager",
        value: { resource_monitors: [{ name: "envoy.resource_monitors.injected_resource", typed_config: {} }] },
        finds: /has no place here/,
      },
      {
        title: "a cluster that nobody judges",
        path: "static_resources.clusters[0].name",
        value: "other",
        finds: /judged/,
      },
    ]);
  });

  describe("files", () => {
    const happy = envoyConfigMap();
    const changed = (path: string, value: string | undefined) => ({
      ...happy,
      properties: edit(happy.properties, path, value),
    });
    it("refuses what is not YAML, without saying what it is", () => {
      assertFinds(
        envoyListenersMtls,
        changed('data["listeners.yaml"]', "a: [secret"),
        /not well-formed YAML \((?!.*secret)/,
      );
    });
    it("refuses a field that stands there twice", () => {
      assertFinds(
        envoyListenersMtls,
        changed('data["listeners.yaml"]', "resources: []\nresources: []\n"),
        /not well-formed/,
      );
    });
    it("refuses merge keys, which Envoy reads otherwise", () => {
      assertFinds(
        envoyListenersMtls,
        changed('data["listeners.yaml"]', "x: &x {resources: []}\n<<: *x\n"),
        /none that the rule models/,
      );
    });
    it("refuses listeners that are unknown at preview", () => {
      assertFinds(envoyListenersMtls, changed('data["listeners.yaml"]', UNKNOWN), /can't be known at preview/);
    });
    it("refuses a missing and an additional file", () => {
      assertFinds(envoyListenersMtls, changed('data["listeners.yaml"]', undefined), /lacks a file/);
      assertFinds(envoyListenersMtls, changed('data["more.yaml"]', "x"), /none that the rule models/);
    });
    it("refuses the configuration of a service that is no member", () => {
      assertFinds(envoyListenersMtls, changed("metadata.name", "stranger-envoy"), /not a member/);
    });
    it("refuses an Envoy configuration under another name", () => {
      assertFinds(envoyListenersMtls, configMap("mine", { "listeners.yaml": "{}" }), /no sidecar's/);
    });
    it("leaves other ConfigMaps alone", () => {
      assertPasses(envoyListenersMtls, configMap("prometheus", { "prometheus.yml": "global: {}" }, "ops"));
    });
  });
});

describe("envoy-upstreams-mtls", () => {
  const CALLEE = "resources[1]";
  const CLIENT = `${CALLEE}.transport_socket.typed_config`;
  const PEER = `${CLIENT}.common_tls_context.combined_validation_context`;

  it("passes the happy case", () => {
    assertPasses(envoyUpstreamsMtls, envoyConfigMap());
    assertPasses(envoyUpstreamsMtls, trustConfigMap());
  });

  refusesEachIn(envoyUpstreamsMtls, "clusters", [
    { title: "plain text off the pod", path: `${CALLEE}.transport_socket`, finds: /plain text off the pod/ },
    {
      title: "a client that stops at TLS 1.2",
      path: `${CLIENT}.common_tls_context.tls_params.tls_maximum_protocol_version`,
      finds: /another version/,
    },
    { title: "resumed sessions", path: `${CLIENT}.max_session_keys`, finds: /resumed session/ },
    {
      title: "another callee in its place",
      path: `${PEER}.default_validation_context.match_typed_subject_alt_names[0].matcher.exact`,
      value: "spiffe://chain.lucid.internal/ns/lucid-chain/sa/other",
      finds: /in its place/,
    },
    {
      title: "a callee by prefix",
      path: `${PEER}.default_validation_context.match_typed_subject_alt_names[0].matcher`,
      value: { prefix: "spiffe://chain.lucid.internal/" },
      finds: /no exact identity/,
    },
    {
      title: "a callee of unknown identity",
      path: `${PEER}.default_validation_context`,
      value: {},
      finds: /every certificate/,
    },
    {
      title: "a transport chosen per host",
      path: `${CALLEE}.transport_socket_matches`,
      value: [{}],
      finds: /per host/,
    },
    {
      title: "an application outside the pod",
      path: "resources[0].load_assignment.endpoints[0].lb_endpoints[0].endpoint.address.socket_address.address",
      value: "10.0.0.1",
      finds: /outside the pod/,
    },
    {
      title: "a cluster of an unknown name",
      path: `${CALLEE}.name`,
      value: "backdoor",
      finds: /no cluster `backdoor`/,
    },
    { title: "an inspector that is none", path: `${CALLEE}.name`, value: "scrape|chain", finds: /may not inspect/ },
  ]);

  it("refuses a call that the ceiling does not allow", () => {
    const { type, properties } = envoyConfigMap();
    const ops = edit(edit(properties, "metadata.name", "jaeger-envoy"), "metadata.namespace", "lucid-ops");
    assertFinds(envoyUpstreamsMtls, { type, properties: ops }, /ops\/jaeger reach chain\/lucid-blocks/);
  });

  refusesEachIn(envoyUpstreamsMtls, "certificate", [
    {
      title: "a key from elsewhere",
      path: "resources[0].tls_certificate.private_key.filename",
      value: "/tmp/key",
      finds: /own Secret/,
    },
    {
      title: "an inline key",
      path: "resources[0].tls_certificate.private_key",
      value: { inline_string: "x" },
      finds: /own Secret/,
    },
  ]);

  describe("on trust", () => {
    const trust = (data: Record<string, string>) => configMap("payout-router-trust", data);
    it("passes roots that are known only once they are made", () => {
      assertPasses(envoyUpstreamsMtls, trust({ "chain.yaml": UNKNOWN }));
    });
    it("refuses a file of no zone", () => {
      assertFinds(envoyUpstreamsMtls, trust({ "all.yaml": trustFile("all") }), /no zone's/);
    });
    it("refuses one zone's roots in another's file", () => {
      assertFinds(envoyUpstreamsMtls, trust({ "chain.yaml": trustFile("ops") }), /roots of the file's zone/);
    });
    it("refuses a context that loosens the check", () => {
      assertFinds(
        envoyUpstreamsMtls,
        trust({ "chain.yaml": trustFile("chain", { trust_chain_verification: "ACCEPT_UNTRUSTED" }) }),
        /none that the rule models/,
      );
    });
    it("passes several roots and several revocation lists", () => {
      const context = {
        trusted_ca: { inline_string: PEM_ROOT + PEM_ROOT },
        crl: { inline_string: PEM_LIST + PEM_LIST },
      };
      assertPasses(envoyUpstreamsMtls, trust({ "chain.yaml": trustFile("chain", context) }));
    });
    const loosened: readonly [title: string, context: JsonObject, finds: RegExp][] = [
      ["no roots at all", { trusted_ca: { inline_string: "" } }, /PEM certificates/],
      ["roots from a file", { trusted_ca: { filename: "/etc/ssl/certs/ca-certificates.crt" } }, /none that the rule/],
      ["no revocation list", { crl: { inline_string: "" } }, /no revocation list/],
      ["a revocation list from a file", { crl: { filename: "/tmp/crl" } }, /none that the rule models/],
      ["a certificate for a list", { crl: { inline_string: PEM_ROOT } }, /no revocation list/],
      ["a list among the roots", { trusted_ca: { inline_string: `${PEM_ROOT}${PEM_LIST}` } }, /PEM certificates/],
      ["lists that are demanded of roots", { only_verify_leaf_cert_crl: false }, /every certificate would be refused/],
      ["expired certificates", { allow_expired_certificate: true }, /none that the rule models/],
      ["less of the chain", { max_verify_depth: 0 }, /none that the rule models/],
    ];
    for (const [title, context, finds] of loosened) {
      it(`refuses ${title}`, () => {
        assertFinds(envoyUpstreamsMtls, trust({ "chain.yaml": trustFile("chain", context) }), finds);
      });
    }
    it("refuses something else than certificates", () => {
      assertFinds(
        envoyUpstreamsMtls,
        trust({ "chain.yaml": trustFile("chain", { trusted_ca: { inline_string: "x" } }) }),
        /PEM certificates/,
      );
    });
  });
});
