/** The bundled controller between a Kubernetes API and a real Consul. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { TestConsul, type Instance } from "./support/consul.js";
import { eventually } from "./support/eventually.js";
import { FakeKubernetes } from "./support/fake-kubernetes.js";
import { issuerDocuments, leaseObject, podObject } from "./support/objects.js";
import { Program } from "./support/program.js";

const OPS = "/api/v1/namespaces/lucid-ops/pods";
const CHAIN = "/api/v1/namespaces/lucid-chain/pods";
const LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases";

describe("controller: the program", function () {
  this.timeout(60_000);
  let consul: TestConsul;
  let kubernetes: FakeKubernetes;
  let program: Program | undefined;

  before(async () => {
    execFileSync("npm", ["run", "--silent", "build"], {
      cwd: fileURLToPath(new URL("..", import.meta.url)),
      stdio: ["ignore", "inherit", "inherit"],
    });
    consul = await TestConsul.start();
  });
  after(() => consul.stop());

  beforeEach(async () => {
    kubernetes = await FakeKubernetes.start(50);
    issuerDocuments(["first"]).forEach((document, path) => kubernetes.documents.set(path, document));
  });
  afterEach(async () => {
    consul.thaw();
    await program?.stop();
    program = undefined;
    await kubernetes.stop();
    for (const node of await consul.nodes()) {
      if (node !== "server-under-test") {
        await consul.request("PUT", "/v1/catalog/deregister", { Node: node });
      }
    }
  });

  const start = async (env?: Record<string, string>): Promise<Program> => {
    program = await Program.start(kubernetes, consul, env);
    return program;
  };

  /** Instances of a service, as `<pod>=<status>`, sorted. */
  const statuses = async (service: string): Promise<string[]> =>
    (await consul.instances(service))
      .map(({ Service, Checks }: Instance) => `${Service.ID}=${Checks.map(({ Status }) => Status).join("+")}`)
      .sort();
  const becomes = (service: string, ...expected: string[]): Promise<void> =>
    eventually(async () => {
      assert.deepEqual(await statuses(service), expected);
    });
  /** Registers past the controller what looks like its own work. */
  const haunt = (pod: string, meta: Record<string, string> = { "lucid-controller": "true", "lucid-zone": "ops" }) =>
    consul.request("PUT", "/v1/catalog/register", {
      Node: `lucid-ops-${pod}`,
      Address: "10.244.9.9",
      NodeMeta: meta,
      Service: { ID: pod, Service: "admin-ui", Address: "10.244.9.9", Port: 15001 },
    });

  it("mirrors the token keys, and is not healthy before", async () => {
    kubernetes.documents.delete("/openid/v1/jwks");
    const controller = await start();
    await eventually(async () => {
      assert.match((await controller.get("/health")).text, /token keys of lucid-chain are not mirrored yet/);
    });
    issuerDocuments(["first"]).forEach((document, path) => kubernetes.documents.set(path, document));
    await controller.healthy();
    const keys = kubernetes.get("/api/v1/namespaces/lucid-ops/configmaps", "mesh-tokens")?.data?.["tokens.yaml"];
    assert.match(keys ?? "", /issuer: https:\/\/issuer\.test[^]*modulus-of-first/);
  });

  it("is well without a zone that another stack has not deployed yet, and keeps it once it is there", async () => {
    const ready = { forbidden: true };
    kubernetes.intercept = (_kind, path) => (ready.forbidden && path.includes("/lucid-chain/") ? 403 : undefined);
    kubernetes.put(CHAIN, podObject("blocks-1", { service: "lucid-blocks", zone: "chain" }));
    const running = await start({ LUCID_ZONES_ELSEWHERE: "chain" });
    await running.healthy();
    const zones = async () =>
      (JSON.parse((await running.get("/status")).text) as { zones: { name: string; awaited: boolean }[] }).zones;
    assert.deepEqual(
      (await zones()).map(({ name, awaited }) => [name, awaited]),
      [
        ["ops", false],
        ["chain", true],
      ],
    );
    assert.deepEqual(await statuses("lucid-blocks"), []);
    ready.forbidden = false;
    await becomes("lucid-blocks", "blocks-1=passing");
    await running.healthy();
    assert.ok((await zones()).every(({ awaited }) => !awaited));
    assert.ok(kubernetes.get("/api/v1/namespaces/lucid-chain/configmaps", "mesh-tokens"));
  });

  it("is not well where it may not see a zone that its own stack deploys", async () => {
    kubernetes.intercept = (_kind, path) => (path.includes("/lucid-chain/") ? 403 : undefined);
    const running = await start({ LUCID_ZONES_ELSEWHERE: "ops" });
    await eventually(async () => {
      const { status, text } = await running.get("/health");
      assert.equal(status, 503);
      assert.match(text, /zone chain is not synced yet: .*403/);
      assert.doesNotMatch(text, /zone ops/);
    });
  });

  it("registers what runs, follows it, and deregisters what ends", async () => {
    kubernetes.put(OPS, podObject("ui-1"));
    kubernetes.put(OPS, podObject("ui-2", { ready: false, address: "10.244.0.8" }));
    kubernetes.put(CHAIN, podObject("blocks-1", { service: "lucid-blocks", zone: "chain", address: "10.244.0.9" }));
    await (await start()).healthy();
    await becomes("admin-ui", "ui-1=passing", "ui-2=critical");
    await becomes("lucid-blocks", "blocks-1=passing");

    kubernetes.put(OPS, podObject("ui-2", { ready: true, address: "10.244.0.8" }));
    await becomes("admin-ui", "ui-1=passing", "ui-2=passing");
    kubernetes.put(OPS, podObject("ui-3", { address: null, ready: false }));
    kubernetes.put(OPS, podObject("ui-3", { address: "10.244.0.10" }));
    await becomes("admin-ui", "ui-1=passing", "ui-2=passing", "ui-3=passing");
    kubernetes.put(OPS, podObject("ui-1", { ready: false }));
    await becomes("admin-ui", "ui-1=critical", "ui-2=passing", "ui-3=passing");

    // Deletion asked for: gone at once, long before the pod is.
    kubernetes.put(OPS, podObject("ui-2", { terminating: true, address: "10.244.0.8" }));
    await becomes("admin-ui", "ui-1=critical", "ui-3=passing");
    kubernetes.delete(OPS, "ui-2");
    // Deleted without a grace period.
    kubernetes.delete(OPS, "ui-3");
    await becomes("admin-ui", "ui-1=critical");

    const [instance] = await consul.instances("admin-ui");
    assert.deepEqual(
      { ...instance?.Service, Node: instance?.Node.Node },
      {
        ...instance?.Service,
        Node: "lucid-ops-ui-1",
        ID: "ui-1",
        Address: "10.244.0.7",
        Port: 15001,
        Tags: ["zone=ops", "version=1.0.0", "instance=ui-1"],
      },
    );
  });

  it("replaces the registration of a pod by that of its successor of the same name", async () => {
    kubernetes.put(OPS, podObject("ui-0"));
    await start();
    await becomes("admin-ui", "ui-0=passing");
    kubernetes.delete(OPS, "ui-0");
    kubernetes.put(OPS, podObject("ui-0", { uid: "second", address: "10.244.0.55" }));
    await eventually(async () => {
      const [instance] = await consul.instances("admin-ui");
      assert.equal(instance?.Service.Address, "10.244.0.55");
      assert.equal(instance.Node.Meta["lucid-pod-uid"], "second");
    });
  });

  it("purges ghosts of its own, and touches nothing else", async () => {
    await haunt("ghost");
    await haunt("by-hand", {});
    await consul.request("PUT", "/v1/catalog/register", {
      Node: "elsewhere",
      Address: "10.0.0.1",
      NodeMeta: { "lucid-controller": "true", "lucid-zone": "ops" },
      Service: { ID: "e", Service: "admin-ui", Address: "10.0.0.1", Port: 1 },
    });
    kubernetes.put(OPS, podObject("ui-1"));
    await (await start()).healthy();
    await eventually(async () => {
      assert.deepEqual(await consul.nodes(), ["elsewhere", "lucid-ops-by-hand", "lucid-ops-ui-1", "server-under-test"]);
    });
    await haunt("ghost-2");
    await eventually(async () => {
      assert.ok(!(await consul.nodes()).includes("lucid-ops-ghost-2"));
    });
  });

  it("puts right what others change", async () => {
    kubernetes.put(OPS, podObject("ui-1"));
    await start();
    await becomes("admin-ui", "ui-1=passing");
    await consul.request("PUT", "/v1/catalog/deregister", { Node: "lucid-ops-ui-1" });
    await becomes("admin-ui", "ui-1=passing");
    await haunt("ui-1");
    await eventually(async () => {
      assert.equal((await consul.instances("admin-ui"))[0]?.Service.Address, "10.244.0.7");
    });
  });

  for (const [what, fault] of [
    ["refused", 403],
    ["failing", 500],
    ["of a strange form", 200],
    ["without an answer", "hang"],
  ] as const) {
    it(`deregisters nothing because of a pod list ${what}`, async () => {
      await haunt("ui-1");
      kubernetes.put(CHAIN, podObject("blocks-1", { service: "lucid-blocks", zone: "chain" }));
      kubernetes.intercept = (_, path) => (path === OPS ? fault : undefined);
      const running = await start();
      // The other zone does its work all the same.
      await becomes("lucid-blocks", "blocks-1=passing");
      await sleep(2_500);
      assert.equal((await consul.instances("admin-ui")).length, 1);
      const { status, text } = await running.get("/health");
      assert.equal(status, 503);
      assert.match(text, /zone ops is not synced yet: the pods of lucid-ops were never listed/);
      kubernetes.intercept = () => undefined;
      await eventually(async () => {
        assert.equal((await consul.instances("admin-ui")).length, 0, "now it is known to be a ghost");
      }, 30_000);
    });
  }

  it("does not believe an empty list while the pods are there", async () => {
    kubernetes.put(OPS, podObject("ui-1"));
    kubernetes.put(OPS, podObject("ui-2", { address: "10.244.0.8" }));
    await (await start()).healthy();
    await becomes("admin-ui", "ui-1=passing", "ui-2=passing");
    await program?.stop();
    kubernetes.listsEmpty = true;
    const running = await start();
    await running.healthy();
    await sleep(2_500);
    assert.deepEqual(await statuses("admin-ui"), ["ui-1=passing", "ui-2=passing"]);
    assert.ok(running.log.some(({ message }) => /exists although it was not listed/.test(String(message))));
    // Nor an empty list with no word about single pods.
    kubernetes.intercept = (kind) => (kind === "GET" ? 503 : undefined);
    await sleep(2_500);
    assert.deepEqual(await statuses("admin-ui"), ["ui-1=passing", "ui-2=passing"]);
    // But an empty list that is true.
    kubernetes.intercept = () => undefined;
    kubernetes.delete(OPS, "ui-1");
    kubernetes.delete(OPS, "ui-2");
    await becomes("admin-ui");
  });

  it("catches up after Consul was silent", async () => {
    kubernetes.put(OPS, podObject("ui-1"));
    kubernetes.put(OPS, podObject("ui-2"));
    const running = await start();
    await running.healthy();
    await becomes("admin-ui", "ui-1=passing", "ui-2=passing");
    consul.freeze();
    kubernetes.put(OPS, podObject("ui-1", { terminating: true }));
    kubernetes.put(OPS, podObject("ui-3"));
    await eventually(async () => {
      assert.equal((await running.get("/health")).status, 503);
    }, 30_000);
    kubernetes.delete(OPS, "ui-1");
    consul.thaw();
    await eventually(async () => {
      assert.deepEqual(await statuses("admin-ui"), ["ui-2=passing", "ui-3=passing"]);
    }, 20_000);
    await running.healthy();
  });

  it("deregisters the instances of a node that renews its lease no more, and registers them when it is back", async () => {
    const renew = (node: string): void => {
      kubernetes.put(LEASES, leaseObject(node, new Date().toISOString()));
    };
    const renewing = new Set(["node-1", "node-2"]);
    renewing.forEach(renew);
    const timer = setInterval(() => {
      renewing.forEach(renew);
    }, 500);
    try {
      kubernetes.put(OPS, podObject("ui-1"));
      kubernetes.put(OPS, podObject("ui-2", { node: "node-2" }));
      await start({ SERVICE_REGISTRY_TTL: "15" });
      await becomes("admin-ui", "ui-1=passing", "ui-2=passing");
      await sleep(1_000);
      renewing.delete("node-2");
      const stopped = performance.now();
      await eventually(async () => {
        assert.deepEqual(await statuses("admin-ui"), ["ui-1=passing"]);
      }, 25_000);
      const took = performance.now() - stopped;
      assert.ok(took > 13_500 && took < 20_000, `${String(took)} ms`);
      await sleep(2_000);
      assert.deepEqual(await statuses("admin-ui"), ["ui-1=passing"], "no comparison brings it back");
      renewing.add("node-2");
      await becomes("admin-ui", "ui-1=passing", "ui-2=passing");
    } finally {
      clearInterval(timer);
    }
  });

  it("works without the right to read leases, and says so", async () => {
    kubernetes.intercept = (_, path) => (path === LEASES ? 403 : undefined);
    kubernetes.put(OPS, podObject("ui-1"));
    const running = await start();
    await running.healthy();
    await becomes("admin-ui", "ui-1=passing");
    assert.match((await running.get("/status")).text, /"nodes": \{\s*"error": "Kubernetes API answered 403/);
  });

  it("registers no pod that claims to be somebody else, and says so", async () => {
    kubernetes.put(OPS, podObject("thief", { service: "prometheus", serviceAccount: "admin-ui" }));
    // Consul's own ACLs refuse what the labels alone would let pass.
    kubernetes.put(OPS, podObject("stranger", { service: "lucid-blocks" }));
    kubernetes.put(OPS, podObject("ui-1"));
    const running = await start();
    await running.healthy();
    await becomes("admin-ui", "ui-1=passing");
    assert.deepEqual(await statuses("prometheus"), []);
    assert.deepEqual(await statuses("lucid-blocks"), []);
    const status = JSON.parse((await running.get("/status")).text) as {
      zones: { refused: Record<string, string> }[];
      failures: { where: string; message: string }[];
    };
    assert.match(status.zones[0]?.refused.thief ?? "", /service account "admin-ui"/);
    assert.ok(status.failures.some(({ where, message }) => where === "ops/stranger" && message.includes("403")));
  });

  it("tells its state: status, metrics, nothing else", async () => {
    kubernetes.put(OPS, podObject("ui-1"));
    kubernetes.put(OPS, podObject("ui-2", { ready: false }));
    const running = await start();
    await running.healthy();
    await becomes("admin-ui", "ui-1=passing", "ui-2=critical");
    const status = JSON.parse((await running.get("/status")).text) as Record<string, unknown>;
    assert.equal(status.healthy, true);
    assert.deepEqual(status.services, [
      {
        name: "admin-ui",
        zone: "ops",
        instances: [
          { pod: "ui-1", address: "10.244.0.7", version: "1.0.0", ready: true, registered: true },
          { pod: "ui-2", address: "10.244.0.7", version: "1.0.0", ready: false, registered: true },
        ],
      },
    ]);
    const { text: metrics } = await running.get("/metrics");
    assert.match(metrics, /^lucid_controller_catalogue_writes_total\{zone="ops",operation="register"\} 2$/m);
    assert.match(metrics, /^lucid_controller_instances\{zone="ops",status="passing"\} 1$/m);
    assert.match(metrics, /^lucid_controller_instances\{zone="ops",status="critical"\} 1$/m);
    assert.match(metrics, /^lucid_controller_reconcile_duration_seconds_count\{zone="chain"\} [1-9]/m);
    assert.match(
      metrics,
      /^lucid_controller_registry_request_duration_seconds_count\{zone="ops",status="200"\} [1-9]/m,
    );
    assert.equal((await running.get("/elsewhere")).status, 404);
    const said = running.output + metrics + JSON.stringify(status);
    assert.doesNotMatch(said, /(11111111|22222222)-0000/, "no token anywhere");
  });

  it("writes nothing while nothing changes", async () => {
    kubernetes.put(OPS, podObject("ui-1"));
    const running = await start();
    await running.healthy();
    await becomes("admin-ui", "ui-1=passing");
    const writes = async (): Promise<string[]> =>
      (await running.get("/metrics")).text
        .split("\n")
        .filter((line) => line.startsWith("lucid_controller_catalogue_writes"));
    const before = await writes();
    kubernetes.put(OPS, podObject("ui-1"));
    await sleep(3_000);
    assert.deepEqual(await writes(), before);
  });

  it("ends on SIGTERM with its registrations left in place", async () => {
    kubernetes.put(OPS, podObject("ui-1"));
    const running = await start();
    await becomes("admin-ui", "ui-1=passing");
    const begun = performance.now();
    assert.equal(await running.stop(), 0);
    assert.ok(performance.now() - begun < 2_000);
    assert.deepEqual(await statuses("admin-ui"), ["ui-1=passing"]);
    assert.equal(running.log.at(-1)?.message, "controller stopped");
  });

  it("ends on SIGTERM in time even when Consul is silent", async () => {
    kubernetes.put(OPS, podObject("ui-1"));
    const running = await start();
    await becomes("admin-ui", "ui-1=passing");
    consul.freeze();
    await sleep(1_500);
    const begun = performance.now();
    assert.equal(await running.stop(), 0);
    assert.ok(performance.now() - begun < 12_000);
  });

  it("says what is wrong with its settings, all at once", async () => {
    program = Program.spawn(0, { LOG_LEVEL: "loud" });
    assert.equal(await program.ended(), 2);
    assert.equal(program.log.length, 1);
    assert.match(String(program.log[0]?.error), /LUCID_NAMESPACES: .*LOG_LEVEL: .*CONSUL_HTTP_ADDR: /);
  });
});
