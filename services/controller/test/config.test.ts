import assert from "node:assert/strict";
import { ConfigError, parseConfig } from "../src/config.js";

const HAPPY = {
  LUCID_NAMESPACES: "lucid-ops=ops,lucid-chain=chain",
  CONSUL_HTTP_ADDR: "https://10.96.64.54:8501",
  CONSUL_CACERT: "/etc/consul/ca.pem",
};

describe("controller: settings", () => {
  it("have defaults", () => {
    assert.deepEqual(parseConfig(HAPPY), {
      zones: [
        { namespace: "lucid-ops", zone: "ops" },
        { namespace: "lucid-chain", zone: "chain" },
      ],
      zonesElsewhere: [],
      registry: {
        backend: "consul",
        settings: {
          address: new URL("https://10.96.64.54:8501"),
          caFile: "/etc/consul/ca.pem",
          serverName: "server.dc1.consul",
          tokensDirectory: "/etc/consul/tokens",
        },
      },
      http: { address: "127.0.0.1", port: 8080 },
      registryTtl: 60,
      reconcileInterval: 15,
      inspection: new Map(),
      driftRepairs: [],
      canaryInterval: 0,
      logLevel: "info",
    });
  });

  it("are taken at other values", () => {
    const config = parseConfig({
      ...HAPPY,
      CONSUL_TLS_SERVER_NAME: "server.dc2.consul",
      CONSUL_TOKENS_DIR: "/tokens",
      BIND_ADDRESS: "0.0.0.0",
      SERVICE_MESH_CONTROLLER_PORT: "18080",
      SERVICE_REGISTRY_TTL: "20",
      RECONCILE_INTERVAL: "3",
      CANARY_INTERVAL: "60",
      NODE_RESOLVER_ADDRESS: "10.96.64.53",
      LOG_LEVEL: "debug",
      KUBECONFIG: "/kubeconfig",
      LUCID_ZONES_ELSEWHERE: "chain,ops",
      PROMETHEUS_URL: "http://prometheus.lucid.internal",
      INSPECTION_PROXIES: "ops=http://127.0.0.1:15300, chain=http://127.0.0.1:15301",
    });
    assert.deepEqual(
      [...config.inspection].map(([zone, { host }]) => [zone, host]),
      [
        ["ops", "127.0.0.1:15300"],
        ["chain", "127.0.0.1:15301"],
      ],
    );
    assert.equal(config.prometheus?.href, "http://prometheus.lucid.internal/");
    assert.equal(config.canaryInterval, 60);
    assert.equal(config.resolver, "10.96.64.53");
    assert.deepEqual(config.zonesElsewhere, ["chain", "ops"]);
    assert.deepEqual(config.registry, {
      backend: "consul",
      settings: {
        address: new URL("https://10.96.64.54:8501"),
        caFile: "/etc/consul/ca.pem",
        serverName: "server.dc2.consul",
        tokensDirectory: "/tokens",
      },
    });
    assert.deepEqual(config.http, { address: "0.0.0.0", port: 18080 });
    assert.equal(config.registryTtl, 20);
    assert.equal(config.reconcileInterval, 3);
    assert.equal(config.logLevel, "debug");
    assert.equal(config.kubeconfig, "/kubeconfig");
  });

  for (const [name, value] of [
    ["LUCID_NAMESPACES", undefined],
    ["LUCID_NAMESPACES", ""],
    ["LUCID_NAMESPACES", "lucid-ops"],
    ["LUCID_NAMESPACES", "lucid-ops=operations"],
    ["LUCID_NAMESPACES", "lucid-ops=ops,lucid-ops=chain"],
    ["LUCID_NAMESPACES", "lucid-ops=ops,lucid-more=ops"],
    ["LUCID_NAMESPACES", "Lucid/Ops=ops"],
    ["LUCID_ZONES_ELSEWHERE", "operations"],
    ["DISCOVERY_BACKEND", "zookeeper"],
    ["CONSUL_HTTP_ADDR", undefined],
    ["CONSUL_HTTP_ADDR", "10.96.64.54:8501"],
    ["CONSUL_HTTP_ADDR", "http://10.96.64.54:8500"],
    ["CONSUL_CACERT", undefined],
    ["BIND_ADDRESS", "localhost"],
    ["SERVICE_MESH_CONTROLLER_PORT", "0"],
    ["SERVICE_MESH_CONTROLLER_PORT", "8080.5"],
    ["SERVICE_REGISTRY_TTL", "14"],
    ["SERVICE_REGISTRY_TTL", "1m"],
    ["RECONCILE_INTERVAL", "0"],
    ["CANARY_INTERVAL", "1m"],
    ["NODE_RESOLVER_ADDRESS", "node-resolver"],
    ["PROMETHEUS_URL", "prometheus.lucid.internal"],
    ["PROMETHEUS_URL", "https://prometheus.lucid.internal"],
    ["PROMETHEUS_URL", "http://user:word@prometheus.lucid.internal"],
    ["PROMETHEUS_URL", "http://prometheus.lucid.internal/elsewhere"],
    ["LOG_LEVEL", "loud"],
  ] as const) {
    it(`refuse ${name}=${String(value)}`, () => {
      assert.throws(
        () => parseConfig({ ...HAPPY, [name]: value }),
        (error) => error instanceof ConfigError && error.message.startsWith(`${name}: `),
      );
    });
  }

  it("are refused with all problems at once", () => {
    assert.throws(
      () => parseConfig({ LUCID_NAMESPACES: "a", SERVICE_REGISTRY_TTL: "x", LOG_LEVEL: "loud" }),
      (error) => {
        assert.ok(error instanceof ConfigError);
        const named = error.message.split("\n").map((line) => line.split(":")[0]);
        assert.deepEqual(named, ["LUCID_NAMESPACES", "SERVICE_REGISTRY_TTL", "LOG_LEVEL", "CONSUL_HTTP_ADDR"]);
        return true;
      },
    );
  });

  it("admit clear text on loopback alone", () => {
    assert.equal(
      parseConfig({ ...HAPPY, CONSUL_HTTP_ADDR: "http://127.0.0.1:8500", CONSUL_CACERT: undefined }).registry.settings
        .caFile,
      undefined,
    );
    assert.throws(() => parseConfig({ ...HAPPY, CONSUL_HTTP_ADDR: "http://127.evil.example:8500" }), ConfigError);
  });
});
