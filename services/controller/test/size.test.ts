/** The bundled controller and a mesh of a thousand services. */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { overviewSchema } from "../../../mesh/overview/model.js";
import { TestConsul } from "./support/consul.js";
import { eventually } from "./support/eventually.js";
import { FakeKubernetes } from "./support/fake-kubernetes.js";
import { issuerDocuments, meshServiceObject, podObject } from "./support/objects.js";
import { Program } from "./support/program.js";

const SERVICES = 1_000;
const PODS_EACH = 3;
/** Calls that each of them declares. */
const EDGES = 10;
/** Limit of its container in MiB, of which the young generation, code and buffers take their part besides. */
const CONTAINER = 256;
/** Times that every pod changes. */
const ROUNDS = 5;
/** Times that an overview of all is asked for. */
const OVERVIEWS = 20;

const PODS = "/api/v1/namespaces/lucid-ops/pods";
const MAPS = "/api/v1/namespaces/lucid-ops/configmaps";
const DECLARED = "/apis/mesh.lucid.internal/v1alpha1/namespaces/lucid-ops/meshservices";

describe("controller: a thousand services", function () {
  this.timeout(400_000);
  let consul: TestConsul;
  let kubernetes: FakeKubernetes;
  let program: Program | undefined;
  const names = Array.from({ length: SERVICES }, (_, index) => `service-${String(index).padStart(4, "0")}`);

  before(async () => {
    consul = await TestConsul.start({ ops: names });
    kubernetes = await FakeKubernetes.start(500);
    issuerDocuments(["first"]).forEach((document, path) => kubernetes.documents.set(path, document));
  });
  after(async () => {
    await program?.stop();
    await kubernetes.stop();
    await consul.stop();
  });

  const pods = (round: number): void => {
    for (const [index, service] of names.entries()) {
      for (let pod = 0; pod < PODS_EACH; pod += 1) {
        const address = `10.${String(200 + pod)}.${String(index >> 8)}.${String(index & 255)}`;
        // In every round some are not ready, others each time.
        const ready = round === 0 || (index + pod + round) % 50 !== 0;
        kubernetes.put(PODS, podObject(`${service}-${String(pod)}`, { service, address, ready }));
      }
    }
  };
  const measured = async (running: Program): Promise<{ heap: number; resident: number }> => {
    const { text } = await running.get("/metrics");
    const value = (metric: string): number => Number(new RegExp(`^${metric} (\\S+)$`, "m").exec(text)?.[1]) / 2 ** 20;
    return { heap: value("nodejs_heap_size_used_bytes"), resident: value("process_resident_memory_bytes") };
  };
  const told = (): number =>
    names.filter((name) => {
      const status = kubernetes.get(DECLARED, name)?.status as { instances?: { registered: number } } | undefined;
      return status?.instances?.registered === PODS_EACH;
    }).length;

  it("are registered and told of in a bounded heap, which does not grow as they change", async () => {
    pods(0);
    for (const service of names) {
      const calls = names
        .slice(0, EDGES)
        .map((callee) => ({ service: callee, zone: "ops", port: "http", kind: "call" }));
      kubernetes.put(DECLARED, meshServiceObject(service, { replicas: PODS_EACH, calls }));
      for (const suffix of ["envoy", "trust"]) {
        kubernetes.put(MAPS, { metadata: { name: `${service}-${suffix}` }, data: { file: "text" } });
      }
    }
    const begun = performance.now();
    // Above this heap it would end by itself.
    const running = await Program.start(kubernetes, consul, {
      RECONCILE_INTERVAL: "15",
      NODE_OPTIONS: "--max-old-space-size=160",
    });
    program = running;
    await eventually(() => {
      assert.equal(told(), SERVICES);
    }, 240_000);
    const took = (performance.now() - begun) / 1000;
    await running.healthy();
    const first = await measured(running);
    let last = first;
    for (let round = 1; round <= ROUNDS; round += 1) {
      pods(round);
      await sleep(3_000);
      last = await measured(running);
    }
    pods(0);
    await eventually(() => {
      assert.equal(told(), SERVICES);
    }, 120_000);
    // What is told of all of them, again and again.
    for (let asked = 0; asked < OVERVIEWS; asked += 1) {
      const { status, text } = await running.get("/api/v1/overview");
      assert.equal(status, 200);
      assert.equal(overviewSchema.parse(JSON.parse(text)).services.length, SERVICES);
      assert.equal((await running.get("/")).status, 200);
    }
    last = await measured(running);
    const mib = (value: number): string => `${value.toFixed(0)} MiB`;
    console.log(
      `      ${String(SERVICES)} services of ${String(PODS_EACH)} pods: registered and told in ${took.toFixed(0)} s; heap ${mib(first.heap)}, ` +
        `after ${String(ROUNDS)} changes of every pod and ${String(OVERVIEWS)} overviews ${mib(last.heap)}; resident ${mib(last.resident)}`,
    );
    assert.ok(last.resident < CONTAINER, `${mib(last.resident)} resident`);
  });
});
