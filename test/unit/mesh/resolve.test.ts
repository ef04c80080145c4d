import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  callerZones,
  calleeZones,
  edgesFrom,
  edgeTraffic,
  edgesTo,
  findService,
  loadMesh,
  MeshDocumentError,
  peerZones,
  resolveMesh,
  serviceNamed,
  validateDocument,
  zonesWithMetrics,
  type Edge,
} from "../../../mesh";
import { happy, put } from "./fixture";

const ROOT = join(__dirname, "..", "..", "..");

describe("resolveMesh", () => {
  const mesh = resolveMesh(validateDocument(happy()));

  it("gives a service every name that it bears", () => {
    const { address, ...service } = serviceNamed(mesh, "tron-payment");
    assert.match(address, /^127\.\d+\.\d+\.\d+$/);
    assert.deepEqual(service, {
      name: "tron-payment",
      zone: "wallet",
      namespace: "lucid-wallet",
      identity: "spiffe://wallet.lucid.internal/ns/lucid-wallet/sa/tron-payment",
      hostname: "tron-payment.lucid.internal",
      load: { requestsPerSecond: 100, connections: 100 },
      discoveryName: "tron-payment.service.discovery.lucid.internal",
      ports: [{ name: "http", port: 8080, protocol: "http", dialPort: 80 }],
      health: { path: "/health", port: 8080 },
      workload: {
        kind: "application",
        image: "fortio/fortio:1.66.2",
        args: [],
        env: {},
        replicas: 1,
        resources: { requests: { cpu: "50m", memory: "64Mi" }, limits: { memory: "128Mi" } },
      },
      version: "0.0.0",
      traffic: { connectionLimit: 4096 },
    });
  });

  it("keeps addresses where they are: they are part of what callers remember", () => {
    const of = (name: string) => serviceNamed(mesh, name).address;
    assert.deepEqual(["admin-ui", "lucid-blocks", "jaeger"].map(of), [
      "127.113.56.237",
      "127.126.74.33",
      "127.67.85.236",
    ]);
  });

  it("has all five zones, with or without services", () => {
    assert.deepEqual(
      mesh.zones.map((zone) => `${zone.name} ${zone.namespace} ${zone.trustDomain}`),
      ["ops", "chain", "wallet", "mesh", "edge"].map((zone) => `${zone} lucid-${zone} ${zone}.lucid.internal`),
    );
  });

  it("takes a component's pod from nowhere in the document", () => {
    assert.deepEqual(serviceNamed(mesh, "jaeger").workload, { kind: "component", replicas: 1 });
  });

  it("takes no more of a joined service's pods from the document than their owner and number", () => {
    const document = happy();
    put(document, "services.2.image", undefined);
    put(document, "services.2.joinedBy", " Payments ");
    put(document, "services.2.replicas", 3);
    const { workload, identity } = serviceNamed(resolveMesh(validateDocument(document)), "tron-payment");
    assert.deepEqual(workload, { kind: "joined", owner: "Payments", replicas: 3 });
    assert.equal(identity, "spiffe://wallet.lucid.internal/ns/lucid-wallet/sa/tron-payment");
  });

  it("asks the first port that answers a GET, a named port, or a number", () => {
    const health = (value: unknown, ports?: unknown) => {
      const document = happy();
      put(document, "services.2.health", value);
      if (ports !== undefined) put(document, "services.2.ports", ports);
      return serviceNamed(resolveMesh(validateDocument(document)), "tron-payment").health;
    };
    const ports = [
      { name: "grpc", port: 1, protocol: "grpc" },
      { name: "ws", port: 2, protocol: "websocket", dialPort: 2 },
      { name: "http", port: 3, dialPort: 3 },
    ];
    assert.deepEqual(health(undefined, ports), { path: "/health", port: 2 });
    assert.deepEqual(health({ port: "http", path: "/ready" }, ports), { path: "/ready", port: 3 });
    assert.deepEqual(health({ port: 13133 }, ports), { path: "/health", port: 13133 });
  });

  it("asks for metrics where a service says so, at the first port that answers a GET, a named port, or a number", () => {
    const metrics = (value: unknown) => {
      const document = happy();
      put(document, "services.1.metrics", value);
      return serviceNamed(resolveMesh(validateDocument(document)), "lucid-blocks").metrics;
    };
    assert.equal(metrics(undefined), undefined);
    assert.deepEqual(metrics({}), { path: "/metrics", port: 8080 });
    assert.deepEqual(metrics({ port: "events", path: "/m" }), { path: "/m", port: 8090 });
    assert.deepEqual(metrics({ port: 9464 }), { path: "/metrics", port: 9464 });
  });

  it("tells the zones in which somebody tells metrics", () => {
    const document = happy();
    assert.deepEqual(zonesWithMetrics(resolveMesh(validateDocument(document))), []);
    for (const index of [0, 1, 3]) put(document, `services.${String(index)}.metrics`, {});
    assert.deepEqual(zonesWithMetrics(resolveMesh(validateDocument(document))), ["ops", "chain"]);
  });

  it("writes a call out as one edge per port, with its rules, reason and source", () => {
    const document = happy();
    put(document, "services.0.calls.0", {
      service: "lucid-blocks",
      ports: ["http", "events"],
      methods: ["GET"],
      paths: ["/b/*", "/a"],
      reason: " Operators watch the chain ",
    });
    const edge: Edge = {
      from: "admin-ui",
      to: "lucid-blocks",
      port: "events",
      kind: "call",
      rules: [{ methods: ["GET"], paths: ["/a", "/b/*"] }],
      reason: "Operators watch the chain",
      crossesZones: true,
      traffic: edgeTraffic("websocket"),
      source: "services.admin-ui.calls[0]",
    };
    assert.deepEqual(resolveMesh(validateDocument(document)).edges, [
      edge,
      { ...edge, port: "http", traffic: edgeTraffic("http") },
    ]);
  });

  it("keeps several rules apart", () => {
    const document = happy();
    put(document, "services.0.calls.0.rules", [{ methods: ["PUT"], paths: ["/a"] }, { paths: ["/b"] }]);
    assert.deepEqual(resolveMesh(validateDocument(document)).edges[0]?.rules, [
      { methods: ["PUT"], paths: ["/a"] },
      { methods: [], paths: ["/b"] },
    ]);
  });

  it("writes gRPC methods out as the requests that they are", () => {
    const document = happy();
    put(document, "services.0.calls.0", {
      service: "lucid-blocks",
      ports: ["grpc"],
      reason: "because",
      rules: [{ grpc: ["b.C/*", "a.B/C"] }, { paths: ["/raw"] }],
    });
    assert.deepEqual(resolveMesh(validateDocument(document)).edges[0]?.rules, [
      { methods: ["POST"], paths: ["/a.B/C", "/b.C/*"] },
      { methods: [], paths: ["/raw"] },
    ]);
  });

  describe("the end of a call", () => {
    const ending = (until: string) => {
      const document = happy();
      put(document, "services.0.calls.0.until", until);
      return validateDocument(document);
    };

    it("is one instant: a date lasts until it is over, a time until it comes", () => {
      const ends = (until: string) => resolveMesh(ending(until)).edges[0]?.until;
      assert.equal(ends("2026-12-30"), "2026-12-31T00:00:00Z");
      assert.equal(ends("2026-12-31"), "2027-01-01T00:00:00Z");
      assert.equal(ends("2026-11-30"), "2026-12-01T00:00:00Z");
      assert.equal(ends("2028-02-28"), "2028-02-29T00:00:00Z");
      assert.equal(ends("2026-12-31T18:00:05Z"), "2026-12-31T18:00:05Z");
    });

    it("sets the call apart once it has come, and never by itself", () => {
      const document = ending("2026-12-31T18:00:05Z");
      const edges = (now?: string) => {
        const { edges, ended } = resolveMesh(document, { now });
        return [edges.length, ended.length];
      };
      assert.deepEqual(edges(), [1, 0]);
      assert.deepEqual(edges("2026-12-31T18:00:04.999Z"), [1, 0]);
      assert.deepEqual(edges("2026-12-31T18:00:05.000Z"), [0, 1]);
      assert.deepEqual(edges("2030-01-01T00:00:00.000Z"), [0, 1]);
      assert.deepEqual(
        edgesTo(resolveMesh(document, { now: "2030-01-01T00:00:00.000Z" }), "lucid-blocks").map(({ kind }) => kind),
        [],
      );
    });
  });

  it("adds edges for spans when tracing is on, with their one request and a reason, and none for the collector", () => {
    const traced = resolveMesh(validateDocument(happy()), { tracing: true });
    const spans = traced.edges.filter((edge) => edge.kind === "telemetry");
    assert.deepEqual(
      spans.map(({ from, to, port, crossesZones }) => `${from} ${to} ${port} ${String(crossesZones)}`),
      ["admin-ui jaeger otlp false", "lucid-blocks jaeger otlp true", "tron-payment jaeger otlp true"],
    );
    for (const edge of spans) {
      assert.deepEqual(edge.rules, [
        { methods: ["POST"], paths: ["/opentelemetry.proto.collector.trace.v1.TraceService/Export"] },
      ]);
      assert.ok(edge.reason !== undefined && edge.reason !== "");
    }
    assert.equal(
      mesh.edges.some((edge) => edge.kind === "telemetry"),
      false,
    );
  });

  it("refuses tracing where nobody collects traces", () => {
    const document = happy();
    document.services.pop();
    assert.throws(() => resolveMesh(validateDocument(document), { tracing: true }), MeshDocumentError);
  });
});

describe("edges", () => {
  const document = happy();
  document.services.push({ name: "prometheus", plane: "ops", component: true, ports: [{ name: "http", port: 9090 }] });
  const mesh = resolveMesh(validateDocument(document), { tracing: true });
  const withController = (() => {
    document.services.push({
      name: "mesh-controller",
      plane: "mesh",
      component: true,
      ports: [{ name: "http", port: 8080 }],
    });
    return resolveMesh(validateDocument(document));
  })();
  const bare = resolveMesh(validateDocument(happy()));

  it("are found from both ends, by service or by name", () => {
    const blocks = serviceNamed(mesh, "lucid-blocks");
    assert.deepEqual(
      edgesTo(mesh, blocks).map((edge) => edge.from),
      ["admin-ui"],
    );
    assert.deepEqual(
      edgesFrom(mesh, "lucid-blocks").map((edge) => edge.to),
      ["jaeger"],
    );
    assert.deepEqual(edgesTo(mesh, "nobody"), []);
    assert.equal(findService(mesh, "nobody"), undefined);
    assert.throws(() => serviceNamed(mesh, "nobody"), RangeError);
  });

  it("decide whose roots a sidecar trusts", () => {
    assert.deepEqual(callerZones(bare, "lucid-blocks"), ["ops"]);
    assert.deepEqual(calleeZones(bare, "admin-ui"), ["chain"]);
    assert.deepEqual(peerZones(bare, "admin-ui"), ["chain"]);
    assert.deepEqual(peerZones(bare, "tron-payment"), []);
    assert.deepEqual(peerZones(bare, "jaeger"), []);
    assert.deepEqual(peerZones(mesh, "jaeger"), ["ops", "chain", "wallet"]);
  });

  it("are joined by the zones that inspect every sidecar", () => {
    assert.deepEqual(peerZones(withController, "tron-payment"), ["ops", "mesh"]);
    assert.deepEqual(peerZones(withController, "prometheus"), ["ops", "chain", "wallet", "mesh"]);
  });
});

describe("the project's own document", () => {
  const text = readFileSync(join(ROOT, "mesh.yaml"), "utf8");

  it("has no problems, and declares what Lucid is made of", () => {
    const mesh = loadMesh(text, "mesh.yaml", { tracing: true });
    assert.deepEqual(
      mesh.services.map(({ name, zone }) => `${zone}/${name}`),
      [
        "ops/admin-ui",
        "ops/jaeger",
        "chain/lucid-blocks",
        "mesh/mesh-controller",
        "wallet/payout-router",
        "ops/prometheus",
        "wallet/tron-payment",
      ],
    );
    assert.deepEqual(
      mesh.edges.filter((edge) => edge.kind === "call").map(({ from, to, port }) => `${from} > ${to}:${port}`),
      [
        "admin-ui > jaeger:query",
        "admin-ui > lucid-blocks:grpc",
        "admin-ui > lucid-blocks:http",
        "admin-ui > mesh-controller:http",
        "admin-ui > payout-router:grpc",
        "admin-ui > payout-router:http",
        "admin-ui > prometheus:http",
        "mesh-controller > prometheus:http",
        "payout-router > lucid-blocks:grpc",
        "payout-router > lucid-blocks:http",
        "payout-router > tron-payment:grpc",
        "payout-router > tron-payment:http",
        "prometheus > mesh-controller:http",
      ],
    );
    for (const edge of mesh.edges) assert.ok(!edge.crossesZones || edge.reason !== undefined, JSON.stringify(edge));
  });

  it("names the schema for editors in its first line", () => {
    assert.equal(text.split("\n")[0], "# yaml-language-server: $schema=./mesh/mesh.schema.json");
  });
});
