import { dump, load } from "js-yaml";
import { renderCertificateSds, renderSidecar } from "../../../envoy";
import { LUCID_CEILING } from "../../../policies/ceiling";
import { envoyListenersMtls } from "../../../policies/rules/envoy-listeners-mtls";
import { envoyUpstreamsMtls } from "../../../policies/rules/envoy-upstreams-mtls";
import { privateKeysInSecrets } from "../../../policies/rules/private-keys-in-secrets";
import { authenticatedMesh } from "../../unit/envoy/authenticated";
import { OPTIONS } from "../../unit/envoy/fixture";
import { configMap } from "../fixtures/objects";
import { edit, type Json, type JsonObject } from "../support/edit";
import { assertFinds, assertPasses, type Mutation, type TestResource } from "../support/judge";

const mesh = authenticatedMesh();

/** A ceiling under which the mesh of these tests may be declared. */
const CEILING = {
  ...LUCID_CEILING,
  members: { ...LUCID_CEILING.members, ops: ["portal", "storefront"], mesh: ["verdict", "ledger"] },
  edges: [
    { from: "ops/portal", to: "mesh/verdict", ports: ["15001/TCP"], reason: "Asks about its callers" },
    { from: "ops/portal", to: "mesh/ledger", ports: ["15001/TCP"], reason: "Books what was bought" },
  ],
  authenticators: ["mesh/verdict"],
};

/** The rendered ConfigMap of one service, with its listeners changed. */
function rendered(name: string, change: (listeners: JsonObject) => JsonObject = (same) => same): TestResource {
  const service = mesh.services.find((candidate) => candidate.name === name);
  if (service === undefined) throw new Error(`no service ${name}`);
  const files = { ...renderSidecar(mesh, service, OPTIONS), "certificate.yaml": renderCertificateSds() };
  const listeners = dump(change(load(files["listeners.yaml"]) as JsonObject), { noRefs: true });
  return configMap(`${name}-envoy`, { ...files, "listeners.yaml": listeners }, service.zone);
}

interface Named {
  readonly name: string;
}
interface Manager extends Named {
  readonly typed_config: { readonly http_filters: readonly Named[] };
}

/** The path of a filter in the chain of the portal's port `http`, which is the first. */
function filterAt(name: string): string {
  const { data } = rendered("portal").properties as { data: Record<string, string> };
  const file = load(data["listeners.yaml"] ?? "") as { resources: { filter_chains: { filters: Manager[] }[] }[] };
  const filters = file.resources[0]?.filter_chains[0]?.filters ?? [];
  const manager = filters.findIndex((filter) => filter.name === "envoy.filters.network.http_connection_manager");
  const index = filters[manager]?.typed_config.http_filters.findIndex((filter) => filter.name === name) ?? -1;
  if (index < 0) throw new Error(`no filter ${name}`);
  return `resources[0].filter_chains[0].filters[${String(manager)}].typed_config.http_filters[${String(index)}]`;
}

const FILTERS = filterAt("envoy.filters.http.rbac").replace(/\[\d+\]$/, "");
const STRIP = filterAt("envoy.filters.http.header_mutation.end_users");
const TOKEN = filterAt("envoy.filters.http.jwt_authn.end_users");
const PROVIDER = `${TOKEN}.typed_config.providers.end_users`;
const CLAIMS = filterAt("envoy.filters.http.rbac.end_users");
const POLICIES = `${CLAIMS}.typed_config.rules.policies`;
const OTHERS = `${POLICIES}.others.principals[0].and_ids.ids`;
const MATCHER = `${OTHERS}[0].sourced_metadata.metadata_matcher`;
const ASK = `${filterAt("envoy.filters.http.ext_authz")}.typed_config`;

describe("envoy-listeners-mtls, end users and the question about callers", () => {
  for (const { name } of mesh.services) {
    it(`passes the rendered sidecar of ${name}`, () => {
      for (const rule of [envoyListenersMtls, envoyUpstreamsMtls, privateKeysInSecrets]) {
        assertPasses(rule, rendered(name), CEILING);
      }
    });
  }

  const mutations: readonly Mutation[] = [
    { title: "claims that a request may bring", path: STRIP, finds: /not all there/ },
    { title: "no token at all", path: TOKEN, finds: /not all there/ },
    { title: "claims that nobody asks", path: CLAIMS, finds: /not all there/ },
    {
      title: "end users before their caller",
      path: filterAt("envoy.filters.http.rbac"),
      finds: /caller's RBAC|no RBAC/,
    },
    {
      title: "another header removed",
      path: `${STRIP}.typed_config.mutations.request_mutations[0].remove`,
      value: "x-other",
      finds: /nobody verified/,
    },
    {
      title: "a header set",
      path: `${STRIP}.typed_config.mutations.request_mutations[0]`,
      value: { append: { header: { key: "x-forwarded-client-cert", value: "forged" } } },
      finds: /none that the rule models/,
    },
    {
      title: "a second provider",
      path: `${TOKEN}.typed_config.providers.other`,
      value: {},
      finds: /none that the rule/,
    },
    { title: "any issuer", path: `${PROVIDER}.issuer`, finds: /any issuer/ },
    { title: "any audience", path: `${PROVIDER}.audiences`, finds: /other services/ },
    { title: "an empty audience", path: `${PROVIDER}.audiences`, value: ["portal", ""], finds: /other services/ },
    { title: "tokens for ever", path: `${PROVIDER}.require_expiration`, value: false, finds: /for ever/ },
    { title: "tokens for ever, unsaid", path: `${PROVIDER}.require_expiration`, finds: /for ever/ },
    { title: "fetched keys", path: `${PROVIDER}.remote_jwks`, value: {}, finds: /none that the rule models/ },
    { title: "keys in a file", path: `${PROVIDER}.local_jwks`, value: { filename: "/keys" }, finds: /none that|JSON/ },
    {
      title: "a shared key",
      path: `${PROVIDER}.local_jwks.inline_string`,
      value: '{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}',
      finds: /none that the rule models/,
    },
    {
      title: "a private key",
      path: `${PROVIDER}.local_jwks.inline_string`,
      value: '{"keys":[{"kty":"EC","crv":"P-256","x":"a","y":"b","d":"c2VjcmV0"}]}',
      finds: /none that the rule models/,
    },
    { title: "no key", path: `${PROVIDER}.local_jwks.inline_string`, value: '{"keys":[]}', finds: /no key/ },
    { title: "keys that are no JSON", path: `${PROVIDER}.local_jwks.inline_string`, value: "{", finds: /no JSON/ },
    { title: "a token in the query", path: `${PROVIDER}.from_params`, value: ["token"], finds: /none that the rule/ },
    { title: "a token anywhere", path: `${PROVIDER}.from_headers`, finds: /place is not said/ },
    {
      title: "claims in another header",
      path: `${PROVIDER}.forward_payload_header`,
      value: "x-user",
      finds: /cleared/,
    },
    {
      title: "claims among others",
      path: `${PROVIDER}.payload_in_metadata`,
      value: "payload",
      finds: /another token's/,
    },
    { title: "an hour's tolerance", path: `${PROVIDER}.clock_skew_seconds`, value: 3600, finds: /expired token/ },
    {
      title: "a missing token let in",
      path: `${TOKEN}.typed_config.rules[0].requires`,
      value: { allow_missing: {} },
      finds: /none that the rule models|without a verified token/,
    },
    {
      title: "a failed token let in",
      path: `${TOKEN}.typed_config.rules[2].requires`,
      value: { requires_any: { requirements: [{ provider_name: "end_users" }, { allow_missing_or_failed: {} }] } },
      finds: /none that the rule models/,
    },
    {
      title: "everything without a token",
      path: `${TOKEN}.typed_config.rules[0].match`,
      value: { prefix: "/" },
      finds: /without a verified token/,
    },
    {
      title: "a switch by header",
      path: `${TOKEN}.typed_config.filter_state_rules`,
      value: {},
      finds: /none that the/,
    },
    {
      title: "claims only logged",
      path: `${CLAIMS}.typed_config.rules.action`,
      value: "LOG",
      finds: /does not refuse/,
    },
    { title: "no claims", path: `${CLAIMS}.typed_config.rules`, finds: /does not refuse|names no policy/ },
    { title: "shared counters", path: `${CLAIMS}.typed_config.rules_stat_prefix`, finds: /counters/ },
    { title: "anybody", path: `${POLICIES}.others.principals[0]`, value: { any: true }, finds: /without a token/ },
    {
      title: "anybody on every path",
      path: `${POLICIES}["rule-0"].permissions[0].and_rules.rules[1]`,
      value: { url_path: { path: { prefix: "/" } } },
      finds: /without a token/,
    },
    {
      title: "anybody who brings a header",
      path: `${POLICIES}["rule-0"].permissions[0].and_rules.rules[1]`,
      value: { header: { name: "x-let-me-in", present_match: true } },
      finds: /without a token/,
    },
    {
      title: "anybody but on some paths",
      path: `${POLICIES}["rule-0"].permissions[0].and_rules.rules[1]`,
      value: { not_rule: { url_path: { path: { exact: "/a" } } } },
      finds: /without a token/,
    },
    {
      title: "claims of another token",
      path: `${MATCHER}.path[0].key`,
      value: "identity",
      finds: /verified end user's token/,
    },
    { title: "claims of another filter", path: `${MATCHER}.filter`, value: "envoy.lb", finds: /verified end user's/ },
    { title: "no verified token", path: `${OTHERS}[0]`, finds: /ask for a verified token/ },
    { title: "whoever has not that claim", path: `${MATCHER}.invert`, value: true, finds: /none that the rule/ },

    {
      title: "a question before the caller's RBAC",
      path: filterAt("envoy.filters.http.rbac"),
      finds: /before its RBAC/,
    },
    {
      title: "calls let in without an answer",
      path: `${ASK}.failure_mode_allow`,
      value: true,
      finds: /nobody answers/,
    },
    { title: "calls let in without an answer, unsaid", path: `${ASK}.failure_mode_allow`, finds: /nobody answers/ },
    {
      title: "a status of success",
      path: `${ASK}.status_on_error.code`,
      value: "OK",
      finds: /no refusal/,
    },
    { title: "an unseen certificate", path: `${ASK}.include_peer_certificate`, value: false, finds: /compromised/ },
    { title: "every header", path: `${ASK}.allowed_headers`, finds: /every header/ },
    {
      title: "every header, by an empty list",
      path: `${ASK}.allowed_headers.patterns`,
      value: [],
      finds: /every header/,
    },
    {
      title: "the caller's token",
      path: `${ASK}.allowed_headers.patterns[0].exact`,
      value: "x-lucid-identity-token",
      finds: /act as the caller/,
    },
    {
      title: "headers by a prefix",
      path: `${ASK}.allowed_headers.patterns[0]`,
      value: { prefix: "x-" },
      finds: /none that the rule models|act as the caller/,
    },
    { title: "bodies", path: `${ASK}.with_request_body`, value: {}, finds: /none that the rule models/ },
    { title: "headers set by the answer", path: `${ASK}.decoder_header_mutation_rules`, finds: /identity among them/ },
    {
      title: "some headers set by the answer",
      path: `${ASK}.decoder_header_mutation_rules.allow_expression`,
      value: { regex: ".*" },
      finds: /none that the rule models/,
    },
    {
      title: "metadata set by the answer",
      path: `${ASK}.enable_dynamic_metadata_ingestion`,
      finds: /later filters believe/,
    },
    { title: "another route", path: `${ASK}.clear_route_cache`, value: true, finds: /route/ },
    { title: "a switch", path: `${ASK}.filter_enabled`, value: {}, finds: /none that the rule models/ },
    {
      title: "another authenticator",
      path: `${ASK}.grpc_service.envoy_grpc.cluster_name`,
      value: "outbound|ledger|http",
      finds: /lets nobody answer/,
    },
    {
      title: "the application itself as authenticator",
      path: `${ASK}.grpc_service.envoy_grpc.cluster_name`,
      value: "application|http",
      finds: /lets nobody answer/,
    },
    {
      title: "an authenticator outside",
      path: `${ASK}.grpc_service`,
      value: { google_grpc: { target_uri: "example.org:443", stat_prefix: "x" } },
      finds: /none that the rule models/,
    },
    { title: "a question by HTTP", path: `${ASK}.http_service`, value: {}, finds: /none that the rule models/ },
    { title: "a long wait", path: `${ASK}.grpc_service.timeout`, value: "60s", finds: /without bound/ },
    { title: "an endless wait", path: `${ASK}.grpc_service.timeout`, value: "0s", finds: /without bound/ },
  ];
  for (const { title, path, value, finds } of mutations) {
    it(`refuses ${title}`, () => {
      assertFinds(
        envoyListenersMtls,
        rendered("portal", (listeners) => edit(listeners, path, value)),
        finds,
        CEILING,
      );
    });
  }

  it("refuses an authenticator that the ceiling does not list", () => {
    assertFinds(envoyListenersMtls, rendered("portal"), /lets nobody answer/, { ...CEILING, authenticators: [] });
  });

  it("refuses the end users' filters in another order, and twice", () => {
    const reordered = (order: readonly number[]) =>
      rendered("portal", (listeners) => {
        const list = FILTERS.split(/[.[\]]+/).reduce<Json>(
          (place, step) => (place as Record<string, Json>)[step] ?? null,
          listeners,
        ) as Json[];
        return edit(
          listeners,
          FILTERS,
          order.map((index) => list[index] ?? null),
        );
      });
    const [caller = 0, strip = 0] = ["envoy.filters.http.rbac", "envoy.filters.http.header_mutation.end_users"].map(
      (name) => Number(/\[(\d+)\]$/.exec(filterAt(name))?.[1]),
    );
    const [token, claims, ask, router] = [strip + 1, strip + 2, strip + 3, strip + 4];
    for (const order of [
      [caller, token, strip, claims, ask, router],
      [caller, strip, claims, token, ask, router],
      [caller, strip, token, claims, strip, ask, router],
      [strip, token, claims, caller, ask, router],
    ]) {
      assertFinds(envoyListenersMtls, reordered(order), /not all there, in their order/, CEILING);
    }
  });
});
