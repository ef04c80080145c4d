/** The API of the bundled controller, between a Kubernetes API and a real Consul. */
import assert from "node:assert/strict";
import { request } from "node:http";
import { historySchema, overviewSchema, type Overview } from "../../../../mesh/overview/model.js";
import { freePorts, TestConsul } from "../support/consul.js";
import { eventually } from "../support/eventually.js";
import { FakeKubernetes } from "../support/fake-kubernetes.js";
import { issuerDocuments, meshServiceObject, podObject } from "../support/objects.js";
import { Program } from "../support/program.js";

const PODS = "/api/v1/namespaces/lucid-ops/pods";
const OPS = "/apis/mesh.lucid.internal/v1alpha1/namespaces/lucid-ops/meshservices";
const CHAIN = "/apis/mesh.lucid.internal/v1alpha1/namespaces/lucid-chain/meshservices";
const REASON = "Operators watch the chain";

describe("controller: the API of how the mesh is", function () {
  this.timeout(60_000);
  let consul: TestConsul;
  let kubernetes: FakeKubernetes;
  let program: Program;
  let port = 0;

  before(async () => {
    consul = await TestConsul.start();
    kubernetes = await FakeKubernetes.start(50);
    issuerDocuments(["first"]).forEach((document, path) => kubernetes.documents.set(path, document));
    kubernetes.put(PODS, podObject("admin-ui-1", { address: "10.244.0.7" }));
    const calls = [{ service: "lucid-blocks", zone: "chain", port: "http", kind: "call", reason: REASON }];
    kubernetes.put(OPS, meshServiceObject("admin-ui", { replicas: 1, calls }));
    kubernetes.put(CHAIN, meshServiceObject("lucid-blocks", { replicas: 1, zone: "chain" }));
    [port = 0] = await freePorts(1);
    program = await Program.start(kubernetes, consul, {}, port);
    await program.healthy();
  });
  after(async () => {
    await program.stop();
    await kubernetes.stop();
    await consul.stop();
  });

  const overview = async (): Promise<Overview> => {
    const { status, text } = await program.get("/api/v1/overview");
    assert.equal(status, 200, text);
    return overviewSchema.parse(JSON.parse(text));
  };
  const json = async (path: string): Promise<Record<string, never>> => {
    const { status, text } = await program.get(path);
    assert.equal(status, 200, text);
    return JSON.parse(text) as Record<string, never>;
  };
  const statusUnder = (host: string, path: string): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      request({ host: "127.0.0.1", port, path, headers: { host } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on("error", reject)
        .end();
    });

  it("tells what the statuses say, and what they make of zone and mesh", async () => {
    await eventually(async () => {
      const { mesh, zones, services } = await overview();
      assert.deepEqual(
        services.map(({ name, state }) => `${name}: ${state}`),
        ["admin-ui: well", "lucid-blocks: failing"],
      );
      assert.deepEqual(
        zones.map(({ name, state, isPlane }) => [name, state, isPlane]),
        [
          ["ops", "well", true],
          ["chain", "failing", true],
        ],
      );
      assert.equal(mesh.state, "failing");
      assert.deepEqual(mesh.services, { well: 1, unknown: 0, degraded: 0, failing: 1 });
    });
  });

  it("has the declared graph, and says that nobody looked", async () => {
    const { edges, traffic, connectivity, enforcement } = await overview();
    assert.deepEqual(edges, [
      {
        from: "admin-ui",
        to: "lucid-blocks",
        port: "http",
        kind: "call",
        crossesZones: true,
        reason: REASON,
        state: "unknown",
        observed: null,
      },
    ]);
    assert.equal(traffic.state, "off");
    assert.equal(connectivity.sidecars, null);
    assert.equal(enforcement, null);
  });

  it("says honestly that nobody compares what runs", async () => {
    const { drift, services } = await overview();
    assert.deepEqual(drift, { isCompared: false, services: [] });
    assert.ok(services.every((service) => service.drift === "not compared"));
  });

  it("names every path, and each answers", async () => {
    const { paths } = (await json("/api/v1")) as unknown as { paths: readonly string[] };
    for (const path of paths.filter((one) => !one.includes("history"))) {
      const answer = await json(path.replace("<name>", "admin-ui"));
      assert.equal(answer.apiVersion, "v1", path);
    }
    assert.ok(paths.includes("/api/v1/services/<name>"));
  });

  it("tells how a service, a zone and the mesh were", async () => {
    for (const of of ["", "/zone/ops", "/service/admin-ui"]) {
      await eventually(async () => {
        const told = historySchema.parse(await json(`/api/v1/history${of}`));
        assert.ok(told.samples >= 1);
      }, 15_000);
    }
  });

  it("shows pods that are refused, and those whose service nobody declares", async () => {
    kubernetes.put(
      PODS,
      podObject("stranger-1", { service: "admin-ui", serviceAccount: "default", address: "10.244.0.8" }),
    );
    kubernetes.put(PODS, podObject("ghost-1", { service: "ghost", address: "10.244.0.9" }));
    await eventually(async () => {
      const { zones, violations } = await overview();
      const ops = zones.find(({ name }) => name === "ops");
      assert.equal(ops?.state, "degraded");
      assert.deepEqual(ops.findings.map(({ check }) => check).sort(), ["declared", "members"]);
      assert.equal(violations.total, 1);
      assert.match(violations.first[0]?.message ?? "", /stranger-1 is refused: it runs as service account "default"/);
    });
    kubernetes.delete(PODS, "stranger-1");
    kubernetes.delete(PODS, "ghost-1");
  });

  for (const path of [
    "/api",
    "/api/v2/health",
    "/api/v1/nothing",
    "/api/v1/services/nobody",
    "/api/v1/history/zone/wallet",
  ]) {
    it(`answers ${path} with 404, as JSON`, async () => {
      const { status, text } = await program.get(path);
      assert.equal(status, 404);
      assert.equal(typeof (JSON.parse(text) as { error: string }).error, "string");
    });
  }

  for (const path of ["/api/v1/__proto__", "/api/v1/constructor", "/api/v1/services/__proto__"]) {
    it(`has nothing under ${path}`, async () => {
      assert.equal((await program.get(path)).status, 404);
    });
  }

  it("answers under its own names alone, so that no page of another name can have it read", async () => {
    assert.equal(await statusUnder("mesh-controller.lucid.internal", "/api/v1/health"), 200);
    assert.equal(await statusUnder(`localhost:${String(port)}`, "/api/v1/health"), 200);
    for (const host of ["evil.example", "127.0.0.1.evil.example", "mesh-controller.lucid.internal.evil.example"]) {
      assert.equal(await statusUnder(host, "/api/v1/health"), 421, host);
    }
  });

  it("changes nothing: every method but GET and HEAD is refused", async () => {
    for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
      const response = await fetch(`http://127.0.0.1:${String(port)}/api/v1/health`, { method });
      assert.equal(response.status, 405, method);
    }
    const head = await fetch(`http://127.0.0.1:${String(port)}/api/v1/health`, { method: "HEAD" });
    assert.equal(head.status, 200);
    assert.equal(await head.text(), "");
  });

  it("holds neither token nor key", async () => {
    const { text } = await program.get("/api/v1/overview");
    assert.doesNotMatch(text, /PRIVATE KEY|eyJ|token|secret/i);
  });
});
