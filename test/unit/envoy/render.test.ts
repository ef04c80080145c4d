import * as assert from "node:assert/strict";
import { renderSidecar, renderTrust, sidecarCommand } from "../../../envoy";
import { httpRbac, pathMatcher } from "../../../envoy/authorization/rbac";
import { serverTls } from "../../../envoy/identity/tls";
import { fromYaml } from "../../../envoy/yaml";
import { serviceNamed } from "../../../mesh";
import { ZONES } from "../../../mesh/model";
import { scrapePort } from "../../../mesh/wire";
import { everyProtocol, makeEdge, makeMesh, makeService, OPTIONS, services } from "./fixture";
import { jobsMesh } from "./jobs-fixture";
import { assembleStatic } from "./static";
import { clustersOf, fieldsNamed, listenersOf } from "./walk";

const RBAC_FILTER = "envoy.extensions.filters.http.rbac.v3.RBAC";

describe("rendering", () => {
  it("is the same text for the same mesh, and names its generation", () => {
    const [first, second] = [1, 2].map(() => renderSidecar(everyProtocol, services.blocks, OPTIONS));
    assert.deepEqual(first, second);
    const version = fromYaml(first?.["listeners.yaml"] ?? "").version_info;
    assert.ok(typeof version === "string" && /^[0-9a-f]{16}$/.test(version));
    const changed = renderSidecar(everyProtocol, services.blocks, { ...OPTIONS, traceSampling: 0.5 });
    assert.notEqual(fromYaml(changed["listeners.yaml"]).version_info, version);
    assert.equal(changed["clusters.yaml"], first?.["clusters.yaml"]);
  });

  it("names no file as a zone's trust file, for both lie in one directory", () => {
    for (const service of everyProtocol.services) {
      const files = Object.keys(renderSidecar(everyProtocol, service, OPTIONS));
      assert.deepEqual(files.sort(), [
        "bootstrap.yaml",
        "certificate.yaml",
        "clusters.yaml",
        "credential.yaml",
        "listeners.yaml",
        "tokens.yaml",
      ]);
      for (const zone of ZONES) assert.ok(!files.includes(`${zone}.yaml`), zone);
    }
  });

  it("allows methods and paths as the edge's rules say, each rule on its own", () => {
    const caller = services.console;
    const rules = [
      { methods: ["GET", "HEAD"], paths: ["/blocks/*", "/height"] },
      { methods: [], paths: ["/open"] },
      { methods: ["DELETE"], paths: [] },
    ];
    const server = { requested_server_name: { exact: "http.blocks.ops" } };
    const method = (exact: string) => ({ header: { name: ":method", string_match: { exact } } });
    assert.deepEqual(httpRbac("http.blocks.ops", [{ caller, rules }]), {
      name: "envoy.filters.http.rbac",
      typed_config: {
        "@type": `type.googleapis.com/${RBAC_FILTER}`,
        rules: {
          action: "ALLOW",
          policies: {
            console: {
              permissions: [
                {
                  and_rules: {
                    rules: [
                      server,
                      {
                        or_rules: {
                          rules: [
                            {
                              and_rules: {
                                rules: [
                                  { or_rules: { rules: [method("GET"), method("HEAD")] } },
                                  {
                                    or_rules: {
                                      rules: [
                                        { url_path: { path: { prefix: "/blocks/" } } },
                                        { url_path: { path: { exact: "/height" } } },
                                      ],
                                    },
                                  },
                                ],
                              },
                            },
                            { url_path: { path: { exact: "/open" } } },
                            method("DELETE"),
                          ],
                        },
                      },
                    ],
                  },
                },
              ],
              principals: [
                {
                  and_ids: {
                    ids: [
                      {
                        authenticated: {
                          principal_name: { exact: "spiffe://ops.lucid.internal/ns/lucid-ops/sa/console" },
                        },
                      },
                      {
                        sourced_metadata: {
                          metadata_matcher: {
                            filter: "envoy.filters.http.jwt_authn",
                            path: [{ key: "identity" }, { key: "sub" }],
                            value: { string_match: { exact: "system:serviceaccount:lucid-ops:console" } },
                          },
                        },
                      },
                      {
                        filter_state: {
                          key: "lucid.peer-uri-sans",
                          string_match: { exact: "spiffe://ops.lucid.internal/ns/lucid-ops/sa/console" },
                        },
                      },
                    ],
                  },
                },
              ],
            },
          },
        },
        track_per_rule_stats: true,
      },
    });
    assert.deepEqual(pathMatcher("*"), { prefix: "" });
  });

  it("lets a grant end: the policy's condition is asked for each request", () => {
    const caller = services.console;
    const until = "2026-12-31T18:00:00Z";
    const filter = httpRbac("http.blocks.ops", [{ caller, rules: [], until }]);
    assert.deepEqual(fieldsNamed(filter, "condition"), [
      {
        call_expr: {
          function: "_<_",
          args: [
            { select_expr: { operand: { ident_expr: { name: "request" } }, field: "time" } },
            { call_expr: { function: "timestamp", args: [{ const_expr: { string_value: until } }] } },
          ],
        },
      },
    ]);
    assert.deepEqual(fieldsNamed(httpRbac("http.blocks.ops", [{ caller, rules: [] }]), "condition"), []);
  });

  it("refuses a TLS context that names nobody", () => {
    assert.throws(() => serverTls({ zone: "ops", identities: { exact: [] } }, ["h2"]), /at least one peer identity/);
  });

  it("answers the names of callees in both address families, and no other name", () => {
    const dns = listenersOf(everyProtocol, services.router).find(({ name }) => name === "dns");
    assert.deepEqual(fieldsNamed(dns, "virtual_domains"), [
      [
        { name: "blocks.lucid.internal", answer_ttl: "60s", endpoint: endpoint("127.64.0.4") },
        { name: "payment.lucid.internal", answer_ttl: "60s", endpoint: endpoint("127.64.0.6") },
        { name: "jaeger.lucid.internal", answer_ttl: "60s", endpoint: endpoint("127.64.0.3") },
      ],
    ]);
  });

  it("traces where there is a collector to send to, and only there", () => {
    const traced = (name: "blocks" | "jaeger", tracing: boolean): number =>
      fieldsNamed(listenersOf(everyProtocol, services[name], { ...OPTIONS, tracing }), "tracing").length;
    assert.ok(traced("blocks", true) > 0);
    assert.equal(traced("blocks", false), 0);
    assert.equal(traced("jaeger", true), 0);
    const sampled = listenersOf(everyProtocol, services.blocks, { ...OPTIONS, traceSampling: 0.25 });
    assert.deepEqual(fieldsNamed(sampled, "random_sampling")[0], { value: 25 });
  });

  it("retries nothing when told so", () => {
    const retried = (retries: boolean): number =>
      fieldsNamed(listenersOf(everyProtocol, services.router, { ...OPTIONS, retries }), "retry_policy").length;
    assert.ok(retried(true) > 0);
    assert.equal(retried(false), 0);
  });

  it("asks a health port that is no port of the service by a cluster of its own", () => {
    const lone = { ...makeService("lone", "ops", 9, services.console.ports), health: { path: "/up", port: 9999 } };
    const mesh = makeMesh([lone], []);
    const names = clustersOf(mesh, lone).map((cluster) => cluster.name);
    assert.deepEqual(names, ["application|http", "application|health"]);
    const health = listenersOf(mesh, lone).find(({ name }) => name === "health");
    assert.deepEqual(fieldsNamed(health, "prefix_rewrite"), ["/up"]);
  });

  it("asks a metrics port that is no port of the service by a cluster of its own, whatever the ports are named", () => {
    const ports = [
      { name: "metrics", protocol: "http", port: 8080, dialPort: 80 },
      { name: "endpoint", protocol: "tcp", port: 8081, dialPort: 81 },
    ] as const;
    const namesFor = (number: number) => {
      const lone = { ...makeService("lone", "ops", 9, ports), metrics: { path: "/m", port: number } };
      return clustersOf(makeMesh([lone, services.prometheus], []), lone).map(({ name }) => name);
    };
    const own = ["application|metrics", "application|endpoint"];
    assert.deepEqual(namesFor(8080), own);
    assert.deepEqual(namesFor(9100), [...own, "application|metrics-endpoint"]);
    // A port that carries no requests is asked as one of its own.
    assert.deepEqual(namesFor(8081), [...own, "application|metrics-endpoint"]);
  });

  it("lets nobody call a job, and asks it nothing", () => {
    const mesh = jobsMesh();
    const nightly = serviceNamed(mesh, "nightly");
    const named = listenersOf(mesh, nightly);
    assert.deepEqual(
      named.map(({ name }) => name),
      ["outbound|ledger|http", "outbound|lucid-blocks|http", "dns", "health", "inspection", "admin"],
    );
    const health = named.find(({ name }) => name === "health");
    assert.deepEqual(
      fieldsNamed(health, "path").filter((path) => path === "/ready" || path === "/health"),
      ["/ready"],
    );
    const names = clustersOf(mesh, nightly).map((cluster) => cluster.name);
    assert.deepEqual(names, ["outbound|ledger|http", "outbound|lucid-blocks|http"]);
  });

  it("says where an edge comes from when the mesh contradicts itself", () => {
    const mesh = makeMesh(
      [services.console, services.blocks],
      [makeEdge(services.console, services.blocks, "nowhere")],
    );
    assert.throws(() => renderSidecar(mesh, services.console, OPTIONS), /services\.console\.calls.*nowhere of blocks/);
  });

  for (const inspector of [services.prometheus, services.controller])
    it(`${inspector.name} inspects every zone with services through one listener each`, () => {
      const scrapers = listenersOf(everyProtocol, inspector).filter(({ name }) => name.startsWith("scrape|"));
      const sockets = scrapers.map(({ name, address }) => [name, address.socket_address.port_value]);
      assert.deepEqual(sockets, [
        ["scrape|ops", 15300],
        ["scrape|chain", 15301],
        ["scrape|wallet", 15302],
        ["scrape|mesh", 15303],
      ]);
      assert.equal(scrapePort("edge"), 15304);
    });

  it("shares the UDP port between workers only where there are several", () => {
    const reuse = (concurrency: number) =>
      listenersOf(everyProtocol, services.console, { ...OPTIONS, concurrency }).filter((one) => one.enable_reuse_port);
    assert.deepEqual(reuse(1), []);
    assert.deepEqual(
      reuse(2).map(({ name }) => name),
      ["dns"],
    );
  });

  it("starts Envoy so that it refuses unknown fields and drains at once", () => {
    const command = sidecarCommand(services.console, OPTIONS).join(" ");
    assert.match(
      command,
      /^--config-path \/etc\/envoy\/config\/bootstrap\.yaml --service-node \$\(POD_NAME\) --service-cluster console /,
    );
    assert.match(command, /--reject-unknown-dynamic-fields --drain-time-s 30 --drain-strategy immediate/);
  });

  it("assembles one static bootstrap of everything", () => {
    const assembled = fromYaml(assembleStatic(renderSidecar(everyProtocol, services.blocks, OPTIONS), "/elsewhere"));
    assert.equal(assembled.dynamic_resources, undefined);
    const paths = [...fieldsNamed(assembled, "sds_config"), assembled.admin].flatMap((part) =>
      fieldsNamed(part, "path"),
    );
    assert.ok(paths.length > 10);
    for (const path of paths.filter((item) => typeof item === "string")) {
      assert.match(path, /^\/elsewhere\//);
    }
    assert.equal(fieldsNamed(assembled.static_resources, "enable_reuse_port").length, 6);
  });

  it("keeps several roots and revocation lists of a zone in one file", () => {
    const pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    const list = pem.replaceAll("CERTIFICATE", "X509 CRL");
    const file = fromYaml(renderTrust("wallet", pem + pem, list + list));
    assert.deepEqual(fieldsNamed(file, "inline_string"), [pem + pem, list + list]);
    assert.deepEqual(fieldsNamed(file, "only_verify_leaf_cert_crl"), [true]);
  });
});

function endpoint(address: string): object {
  return { address_list: { address: [address, `::ffff:${address}`] } };
}
