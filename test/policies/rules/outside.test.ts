import assert from "node:assert/strict";
import { load, dump, CORE_SCHEMA } from "js-yaml";
import { admittedDiscovery } from "../../../admission/discovery";
import { networkLeave } from "../../../admission/network-leave";
import { consulNetwork } from "../../../components/discovery/consul/network";
import { networkPolicies } from "../../../components/network/network-policies";
import { renderSidecar } from "../../../envoy";
import { serviceNamed } from "../../../mesh";
import type { Ceiling } from "../../../policies/ceiling";
import { DATA } from "../../../policies/admission/data";
import { ceilingAllows } from "../../../policies/ceiling/edges";
import { outsideProblems } from "../../../policies/ceiling/outside";
import { readCeiling } from "../../../policies/ceiling/reading";
import { resourceRules, stackRules } from "../../../policies/rules";
import { egressTorOnly } from "../../../policies/rules/egress-tor-only";
import { envoyListenersMtls } from "../../../policies/rules/envoy-listeners-mtls";
import { envoyUpstreamsMtls } from "../../../policies/rules/envoy-upstreams-mtls";
import { networkPolicyZoneIsolation } from "../../../policies/rules/network-policy-zone-isolation";
import { ANOTHER_AUTHORITY, externalMesh } from "../../unit/envoy/external-fixture";
import { OPTIONS } from "../../unit/envoy/fixture";
import { EXTERNAL_CEILING, listing, without as unlisted } from "../fixtures/external";
import { configMap, networkPolicy } from "../fixtures/objects";
import { edit } from "../support/edit";
import type { Json, JsonObject } from "../support/edit";
import { assertFinds, assertPasses } from "../support/judge";
import type { TestResource } from "../support/judge";
import { UNKNOWN } from "../support/unknown";

const mesh = externalMesh();
const DISCOVERY = admittedDiscovery("consul", {
  envoy: "envoy",
  startGate: "start-gate",
  controller: "controller",
  prometheus: "prometheus",
  jaeger: "jaeger",
  consul: "consul",
  snapshots: "snapshots",
  etcd: "etcd",
  coredns: "coredns",
  joined: [],
});
const surroundings = { apiServerCidr: "10.0.0.1/32", apiServerPort: 6443, discovery: { network: consulNetwork } };

/** The NetworkPolicy of a service, as it is rendered. */
function policyOf(name: string): TestResource {
  const { zone } = serviceNamed(mesh, name);
  const zoneModel = mesh.zones.find((candidate) => candidate.name === zone) ?? assert.fail(zone);
  const found = networkPolicies(mesh, zoneModel, surroundings).find((policy) => policy.name === name);
  return networkPolicy(zone, name, JSON.parse(JSON.stringify(found?.spec ?? assert.fail(name))) as JsonObject);
}

/** The place of the rule that leads out of the cluster. */
const OUT = "spec.egress[1]";

describe("the NetworkPolicy of a way out of the cluster", () => {
  for (const name of ["ledger-db", "rates", "legacy"]) {
    it(`passes as it is rendered: ${name}`, () => {
      for (const rule of [networkPolicyZoneIsolation, egressTorOnly])
        assertPasses(rule, policyOf(name), EXTERNAL_CEILING);
    });
  }

  it("names each instance by itself, and the service's ports", () => {
    const egress = (policyOf("ledger-db").properties.spec as JsonObject).egress as Json[];
    assert.deepEqual(egress[1], {
      to: [{ ipBlock: { cidr: "10.20.0.5/32" } }, { ipBlock: { cidr: "10.20.0.6/32" } }],
      ports: [{ protocol: "TCP", port: 5432 }],
    });
  });

  const refused: readonly (readonly [title: string, path: string, value: Json, finds: RegExp])[] = [
    ["another address", `${OUT}.to[0].ipBlock.cidr`, "10.20.0.7/32", /out to `10\.20\.0\.7\/32` on 5432\/TCP/],
    ["another service's address", `${OUT}.to[0].ipBlock.cidr`, "10.20.1.7/32", /out to `10\.20\.1\.7\/32`/],
    ["a block around it", `${OUT}.to[0].ipBlock.cidr`, "10.20.0.4/31", /out to `10\.20\.0\.4\/31`/],
    ["everywhere", `${OUT}.to[0].ipBlock.cidr`, "0.0.0.0/0", /out to `0\.0\.0\.0\/0`/],
    ["the API server", `${OUT}.to[0].ipBlock.cidr`, "10.0.0.1/32", /out to `10\.0\.0\.1\/32`/],
    ["the address spelt otherwise", `${OUT}.to[0].ipBlock.cidr`, "10.20.0.05/32", /out to/],
    ["a block with exceptions", `${OUT}.to[0].ipBlock.except`, ["10.20.0.5/32"], /the ceiling does not list/],
    ["another port", `${OUT}.ports[0].port`, 5433, /on 5433\/TCP, which the ceiling does not list for it/],
    ["another protocol", `${OUT}.ports[0].protocol`, "UDP", /on 5432\/UDP/],
    ["a range of ports", `${OUT}.ports[0].endPort`, 5500, /opens a range of ports/],
    ["every port", `${OUT}.ports`, [], /opens every port/],
    ["an unknown address", `${OUT}.to[0].ipBlock.cidr`, UNKNOWN, /can't be known/],
    ["a selector beside it", `${OUT}.to[0].podSelector`, {}, /./],
  ];
  for (const [title, path, value, finds] of refused) {
    it(`is refused with ${title}`, () => {
      const resource = policyOf("ledger-db");
      const changed = { ...resource, properties: edit(resource.properties, path, value) };
      assertFinds(networkPolicyZoneIsolation, changed, finds, EXTERNAL_CEILING);
    });
  }

  it("is for the member that is listed, and for no caller of it", () => {
    for (const [zone, service] of [
      ["ops", "ledger"],
      ["edge", "rates"],
      ["wallet", "payout-router"],
    ] as const) {
      const foreign = networkPolicy(zone, service, {
        egress: [{ to: [{ ipBlock: { cidr: "10.20.0.5/32" } }], ports: [{ protocol: "TCP", port: 5432 }] }],
      });
      // 10.20.0.5 is in the ranges of an API server; no edge leads there.
      assertFinds(networkPolicyZoneIsolation, foreign, /does not list|does not allow/, EXTERNAL_CEILING);
    }
  });

  it("is refused where the ceiling lists no service outside", () => {
    const ceiling = { ...EXTERNAL_CEILING, outside: {} };
    assertFinds(networkPolicyZoneIsolation, policyOf("ledger-db"), /ceiling does not allow/, ceiling);
  });

  describe("to the open internet", () => {
    const block = (cidr: string) =>
      networkPolicy("edge", "ledger-db", {
        egress: [{ to: [{ ipBlock: { cidr } }], ports: [{ protocol: "TCP", port: 5432 }] }],
      });
    const leave = { clearnet: { reason: "Nobody serves it by Tor", owner: "us", until: "2098-12-31" } };
    const clearnet = (given: typeof leave | Record<string, never>) =>
      listing("edge/ledger-db", { addresses: ["203.0.113.9"], leave: given });

    it("needs a leave of its own, beside being listed", () => {
      for (const rule of [networkPolicyZoneIsolation, egressTorOnly]) {
        assertPasses(rule, block("203.0.113.9/32"), clearnet(leave));
        assertFinds(rule, block("203.0.113.9/32"), /leads out of the cluster|does not list/, clearnet({}));
      }
    });

    it("is for the listed address alone", () => {
      for (const cidr of ["203.0.113.8/32", "203.0.113.8/31", "0.0.0.0/0"]) {
        assertFinds(
          egressTorOnly,
          block(cidr),
          /leads out of the cluster|holds addresses of the node/,
          clearnet(leave),
        );
      }
    });
  });
});

/** A file of a way out's sidecar with one place changed. */
function refiled(
  name: string,
  file: "listeners.yaml" | "clusters.yaml",
  path: string,
  value: Json | undefined,
): TestResource {
  const service = serviceNamed(mesh, name);
  const files = renderSidecar(mesh, service, OPTIONS);
  const document = load(files[file], { schema: CORE_SCHEMA }) as JsonObject;
  const changed = edit(document, path, value);
  assert.notDeepEqual(changed, document, path);
  return configMap(`${name}-envoy`, { ...files, [file]: dump(changed, { noRefs: true }) }, service.zone);
}

describe("the sidecar of a way out of the cluster", () => {
  for (const name of ["ledger-db", "rates", "legacy", "ledger", "payout-router"]) {
    it(`passes as it is rendered: ${name}`, () => {
      const service = serviceNamed(mesh, name);
      const resource = configMap(`${name}-envoy`, { ...renderSidecar(mesh, service, OPTIONS) }, service.zone);
      for (const rule of [envoyListenersMtls, envoyUpstreamsMtls]) assertPasses(rule, resource, EXTERNAL_CEILING);
    });
  }

  const CLUSTER = "resources[0]";
  const CONTEXT = `${CLUSTER}.transport_socket.typed_config`;
  const VALIDATION = `${CONTEXT}.common_tls_context.validation_context`;
  const MATCHER = `${VALIDATION}.match_typed_subject_alt_names[0]`;
  const ENDPOINT = `${CLUSTER}.load_assignment.endpoints[0].lb_endpoints[0].endpoint.address.socket_address`;
  const refused: readonly (readonly [title: string, path: string, value: Json | undefined, finds: RegExp])[] = [
    ["no TLS", `${CLUSTER}.transport_socket`, undefined, /plain text out of the cluster/],
    [
      "TLS before 1.2",
      `${CONTEXT}.common_tls_context.tls_params.tls_minimum_protocol_version`,
      "TLSv1_1",
      /before 1\.2/,
    ],
    ["whatever TLS there is", `${CONTEXT}.common_tls_context.tls_params`, undefined, /before 1\.2/],
    [
      "TLS 1.2 at most",
      `${CONTEXT}.common_tls_context.tls_params.tls_maximum_protocol_version`,
      "TLSv1_2",
      /not the newest/,
    ],
    ["resumed sessions", `${CONTEXT}.max_session_keys`, 1, /not verified again/],
    ["another server name", `${CONTEXT}.sni`, "rates.example.org", /does not list for it/],
    ["no server name", `${CONTEXT}.sni`, undefined, /does not list for it/],
    ["no authorities", `${VALIDATION}.trusted_ca`, undefined, /nothing, or something else than PEM/],
    [
      "authorities from a file",
      `${VALIDATION}.trusted_ca`,
      { filename: "/etc/ssl/certs" },
      /none that the rule models/,
    ],
    [
      "certificates that nobody checked",
      `${VALIDATION}.trust_chain_verification`,
      "ACCEPT_UNTRUSTED",
      /none that the rule models/,
    ],
    ["expired certificates", `${VALIDATION}.allow_expired_certificate`, true, /none that the rule models/],
    ["any name", `${VALIDATION}.match_typed_subject_alt_names`, [], /every certificate of these authorities/],
    ["another name", `${MATCHER}.matcher.safe_regex.regex`, "rates\\.example\\.org", /no name that the ceiling lists/],
    ["a name with a dot for anything", `${MATCHER}.matcher.safe_regex.regex`, "db.example.org", /to the letter/],
    ["a pattern of names", `${MATCHER}.matcher.safe_regex.regex`, ".*", /to the letter/],
    ["names with `*` besides", `${MATCHER}.matcher`, { exact: "db.example.org" }, /none that the rule models/],
    ["what begins so", `${MATCHER}.matcher`, { prefix: "db" }, /none that the rule models/],
    ["a name of another kind", `${MATCHER}.san_type`, "EMAIL", /no name that the ceiling lists/],
    ["another address", `${ENDPOINT}.address`, "10.20.0.9", /leads to `10\.20\.0\.9`/],
    ["the pod's loopback", `${ENDPOINT}.address`, "127.0.0.1", /leads to `127\.0\.0\.1`/],
    ["another port", `${ENDPOINT}.port_value`, 5433, /on `?5433/],
    ["a name to look up", `${CLUSTER}.type`, "STRICT_DNS", /looked up by name/],
    ["nobody asking whether it is well", `${CLUSTER}.health_checks`, undefined, /nobody asks/],
    [
      "a question that isn't modelled",
      `${CLUSTER}.health_checks[0].tcp_health_check.send`,
      { text: "00" },
      /none that the rule models/,
    ],
    ["calls where nobody is well", `${CLUSTER}.common_lb_config`, undefined, /aren't well are sent calls/],
    [
      "a proxy before it",
      `${CLUSTER}.transport_socket.name`,
      "envoy.transport_sockets.http_11_proxy",
      /has no place here/,
    ],
    [
      "a certificate of others",
      `${CONTEXT}.common_tls_context.tls_certificate_sds_secret_configs[0].name`,
      "other",
      /shown something else/,
    ],
    [
      "the identity token",
      `${CLUSTER}.typed_extension_protocol_options`,
      { "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": { http_filters: [{ name: "x" }] } },
      /something is added/,
    ],
  ];
  for (const [title, path, value, finds] of refused) {
    it(`is refused with ${title}`, () => {
      assertFinds(envoyUpstreamsMtls, refiled("ledger-db", "clusters.yaml", path, value), finds, EXTERNAL_CEILING);
    });
  }

  it("may have other authorities: those are the document's to say", () => {
    const changed = refiled("ledger-db", "clusters.yaml", `${VALIDATION}.trusted_ca.inline_string`, ANOTHER_AUTHORITY);
    assertPasses(envoyUpstreamsMtls, changed, EXTERNAL_CEILING);
  });

  it("speaks plain text with a leave alone", () => {
    const legacy = serviceNamed(mesh, "legacy");
    const resource = configMap("legacy-envoy", { ...renderSidecar(mesh, legacy, OPTIONS) }, "ops");
    const without = listing("ops/legacy", { leave: {}, names: ["legacy.example.org"] });
    assertFinds(envoyUpstreamsMtls, resource, /plain text out of the cluster/, without);
  });

  it("is nobody's who isn't listed", () => {
    const others = unlisted("edge/ledger-db");
    const ceiling: Ceiling = { ...EXTERNAL_CEILING, outside: others };
    const resource = configMap(
      "ledger-db-envoy",
      { ...renderSidecar(mesh, serviceNamed(mesh, "ledger-db"), OPTIONS) },
      "edge",
    );
    assertFinds(
      envoyUpstreamsMtls,
      resource,
      /reached in clear text outside the pod|none that the rule models/,
      ceiling,
    );
    assertFinds(envoyListenersMtls, resource, /tells its health where an application should/, ceiling);
  });

  const MANAGER = "filter_chains[0].filters[2].typed_config";
  const inbound = `resources[0].${MANAGER}.route_config.virtual_hosts[0].routes[0].route.host_rewrite_literal`;
  it("sends requests on for a listed host alone, and no other service does", () => {
    assertFinds(
      envoyListenersMtls,
      refiled("rates", "listeners.yaml", inbound, "elsewhere.example.org"),
      /for another host/,
      EXTERNAL_CEILING,
    );
    assertFinds(
      envoyListenersMtls,
      refiled("ledger", "listeners.yaml", inbound, "api.example.org"),
      /for another host/,
      EXTERNAL_CEILING,
    );
  });

  const health = (document: JsonObject): number =>
    (document.resources as JsonObject[]).findIndex(({ name }) => name === "health");
  const filter = (name: string): string => {
    const files = renderSidecar(mesh, serviceNamed(mesh, name), OPTIONS);
    const index = health(load(files["listeners.yaml"], { schema: CORE_SCHEMA }) as JsonObject);
    return `resources[${String(index)}].filter_chains[0].filters[0].typed_config.http_filters[0].typed_config`;
  };
  for (const [title, key, value] of [
    ["what the application says", "pass_through_mode", true],
    ["any request", "headers", []],
    ["another path", "headers[0].string_match.exact", "/"],
    ["any method", "headers[1]", { name: ":path", string_match: { exact: "/health" } }],
    ["nothing", "cluster_min_healthy_percentages", {}],
    ["its callees", "cluster_min_healthy_percentages", { "outbound|ledger|http": { value: 1 } }],
    ["nobody being well", "cluster_min_healthy_percentages", { "application|http": { value: 0 } }],
  ] as const) {
    it(`is refused if it tells its health by ${title}`, () => {
      const changed = refiled("rates", "listeners.yaml", `${filter("rates")}.${key}`, value as unknown as Json);
      assertFinds(envoyListenersMtls, changed, /tells its health|none that the rule models/, EXTERNAL_CEILING);
    });
  }
});

describe("what the API server lets NetworkPolicies open", () => {
  const openings = networkLeave(mesh, surroundings, DISCOVERY).letOut;
  const complaints = (opening: string, ceiling: Ceiling = EXTERNAL_CEILING) =>
    DATA.letOut?.([opening], ceiling).map(([problem]) => problem);

  it("holds each way out, address by address and port by port, for its own pods", () => {
    assert.deepEqual(
      openings.filter((opening) => opening.includes(">10.20.")),
      [
        "edge/ledger-db>10.20.0.5/32:5432/TCP",
        "edge/ledger-db>10.20.0.6/32:5432/TCP",
        "ops/legacy>10.20.2.9/32:8000/TCP",
        "edge/rates>10.20.1.7/32:443/TCP",
        "edge/rates>10.20.1.7/32:8443/TCP",
      ],
    );
  });

  it("holds none of a revoked service", () => {
    const services = mesh.services.map((service) =>
      service.name === "rates" ? { ...service, revoked: "its key leaked" } : service,
    );
    const left = networkLeave({ ...mesh, services }, surroundings, DISCOVERY).letOut;
    assert.ok(!left.some((opening) => opening.startsWith("edge/rates>10.20.")));
  });

  it("is held against the ceiling", () => {
    assert.deepEqual(complaints("edge/ledger-db>10.20.0.5/32:5432/TCP"), []);
    for (const opening of [
      "edge/ledger-db>10.20.0.9/32:5432/TCP",
      "edge/ledger-db>10.20.0.4/31:5432/TCP",
      "edge/ledger-db>10.20.0.5/32:5433/TCP",
      "edge/rates>10.20.0.5/32:5432/TCP",
      "ops/ledger>10.20.0.5/32:5432/TCP",
      "*>10.20.0.5/32:5432/TCP",
    ]) {
      assert.deepEqual(complaints(opening), [`it lets NetworkPolicies open ${opening}`]);
    }
  });

  it("lets Wallet call a service outside with the ceiling's leave alone", () => {
    const opening = { "wallet/payout-router": ["edge/rates"] };
    assert.deepEqual(DATA.calls?.(opening, EXTERNAL_CEILING), []);
    assert.equal(DATA.calls(opening, listing("edge/rates", { leave: {} })).length, 1);
  });
});

describe("Wallet, an isolated network", () => {
  const allows = (from: string, ceiling: Ceiling) => ceilingAllows(from, "edge/rates", "15001/TCP", "egress", ceiling);
  const without = listing("edge/rates", { leave: {} });

  it("reaches a service outside by an edge and a leave, and by neither alone", () => {
    assert.equal(allows("wallet/payout-router", EXTERNAL_CEILING), true);
    assert.equal(allows("wallet/payout-router", without), false);
    assert.equal(allows("wallet/tron-payment", EXTERNAL_CEILING), false);
  });

  it("gets no leave by an edge for everybody", () => {
    const edge = { from: "*", to: "edge/rates", ports: ["15001/TCP"], reason: "for all" };
    assert.equal(allows("wallet/tron-payment", { ...without, edges: [edge] }), false);
    assert.equal(allows("ops/ledger", { ...without, edges: [edge] }), true);
  });

  it("keeps nobody else from it", () => {
    assert.equal(allows("ops/ledger", without), true);
  });
});

describe("the ceiling's services outside", () => {
  const NOW = new Date("2026-05-10T12:00:00Z");
  const RULES = new Map([...resourceRules, ...stackRules].map((rule) => [rule.name, rule]));
  const entry = {
    addresses: ["10.20.0.5"],
    ports: ["5432/TCP"],
    names: ["db.example.org"],
    reason: "The ledger is kept there",
  };
  const leave = { reason: "It is moved this summer", owner: "us", until: "2026-06-01" };
  const read = (change: object, party = "edge/ledger-db") =>
    readCeiling(
      { also: { members: { edge: ["ledger-db"] }, outside: { [party]: { ...entry, ...change } } } },
      { rules: RULES, now: NOW },
    );
  const problems = (change: object, party?: string) =>
    read(change, party).problems.map(({ path, problem }) => `${path}: ${problem}`);

  it("are none in Lucid's own", () => {
    assert.deepEqual(readCeiling({}, { rules: RULES, now: NOW }).ceiling?.outside, {});
  });

  it("are read with their leaves", () => {
    assert.deepEqual(problems({ leave: { wallet: leave } }), []);
    assert.deepEqual(read({ leave: { wallet: leave } }).ceiling?.outside["edge/ledger-db"]?.leave, { wallet: leave });
    assert.deepEqual(outsideProblems(EXTERNAL_CEILING), []);
  });

  for (const [title, change, finds, party] of [
    ["no member", {}, /is no listed member/, "edge/nobody"],
    ["a member without a sidecar", {}, /is no listed member with a sidecar/, "mesh/consul"],
    ["a member of Chain", {}, /chain holds its own services alone/, "chain/lucid-blocks"],
    ["a member of Wallet", {}, /wallet holds its own services alone/, "wallet/payout-router"],
    ["no address", { addresses: [] }, /no address is named/],
    ["a host name", { addresses: ["db.example.org"] }, /is no address/],
    ["a block", { addresses: ["10.20.0.0/24"] }, /is no address/],
    ["IPv6", { addresses: ["2001:db8::1"] }, /is no address/],
    ["the metadata service", { addresses: ["169.254.169.254"] }, /is no address/],
    ["no port", { ports: [] }, /no port is named/],
    ["a port of UDP", { ports: ["53/UDP"] }, /is no port/],
    ["a port that can't be", { ports: ["99999/TCP"] }, /is no port/],
    ["no name", { names: [] }, /no name says whose certificate/],
    ["a name that is none", { names: ["*"] }, /is no DNS name/],
    ["no reason", { reason: " " }, /empty/],
    ["an unknown leave", { leave: { everything: leave } }, /leave/],
    ["a leave without an owner", { leave: { wallet: { ...leave, owner: "" } } }, /empty/],
    ["a leave without an end", { leave: { wallet: { reason: "r", owner: "us" } } }, /missing/],
    ["a leave until no day", { leave: { wallet: { ...leave, until: "2026-02-30" } } }, /is no day/],
    ["a leave for years", { leave: { wallet: { ...leave, until: "2030-01-01" } } }, /more than 366 days/],
    [
      "a leave that is over",
      { leave: { wallet: { ...leave, until: "2026-05-09" } } },
      /ended with 2026-05-09; us answers/,
    ],
  ] as const) {
    it(`are refused with ${title}`, () => {
      assert.match(problems(change, party).join("\n"), finds);
    });
  }

  it("lose a leave that is over, and everything else is judged as ever", () => {
    const { ceiling } = read({ leave: { wallet: { ...leave, until: "2026-05-09" }, clearnet: leave } });
    assert.deepEqual(ceiling?.outside["edge/ledger-db"]?.leave, { clearnet: leave });
    assert.deepEqual(read({ leave: { wallet: { ...leave, until: "2026-05-10" } } }).problems, [], "its last day");
  });
});
