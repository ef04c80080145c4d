/** The bundled controller and a mesh of a thousand services. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { textDigest, type DeclaredObject, type Json } from "../../../mesh/declarations/index.js";
import { SIDECAR_CONTAINER } from "../../../mesh/wire.js";
import { overviewSchema } from "../../../mesh/overview/model.js";
import { TestConsul } from "./support/consul.js";
import { declaredMaps, doneMap } from "./support/declaration.js";
import { eventually } from "./support/eventually.js";
import { FakeKubernetes } from "./support/fake-kubernetes.js";
import { CONTROLLER_HEAP, mebibytes, memoryOf } from "./support/memory.js";
import { issuerDocuments, meshServiceObject, podObject, type ApiObject } from "./support/objects.js";
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
/** Objects of each service that are compared with what was declared. */
const COMPARED = 4;
/** Seconds in which drift has to be told of, on a machine that does other things as well. */
const DRIFT_SECONDS = 30;

const PODS = "/api/v1/namespaces/lucid-ops/pods";
const MAPS = "/api/v1/namespaces/lucid-ops/configmaps";
const DECLARED = "/apis/mesh.lucid.internal/v1alpha1/namespaces/lucid-ops/meshservices";
const DEPLOYMENTS = "/apis/apps/v1/namespaces/lucid-ops/deployments";
const NETWORK_POLICIES = "/apis/networking.k8s.io/v1/namespaces/lucid-ops/networkpolicies";
/** A sidecar's files, as a service of Lucid's has them. */
const SIDECAR_FILES = Object.fromEntries(
  ["listeners.yaml", "clusters.yaml"].map((file) => [
    file,
    readFileSync(new URL(`../../../test/golden/files/envoy/lucid/admin-ui/${file}`, import.meta.url), "utf8"),
  ]),
);

/** What a workload of a service says of its pods. */
function podSpec(service: string) {
  const container = (name: string) => ({
    name,
    image: `registry.lucid.internal/${name}@sha256:${"0".repeat(64)}`,
    args: Array.from({ length: 20 }, (_, index) => `--setting-${String(index)}=value-of-${service}`),
    env: Array.from({ length: 20 }, (_, index) => ({ name: `SETTING_${String(index)}`, value: `value-of-${service}` })),
    volumeMounts: Array.from({ length: 8 }, (_, index) => ({
      name: `volume-${String(index)}`,
      mountPath: `/etc/lucid/volume-${String(index)}`,
      readOnly: true,
    })),
  });
  return {
    initContainers: [container(SIDECAR_CONTAINER), container("start-gate")],
    containers: [container("app")],
  };
}

/** Objects of a service that Pulumi declares: as many that hold much as there are of Lucid's, and as long. */
function objectsOf(service: string): readonly (readonly [path: string, declared: DeclaredObject, live: ApiObject])[] {
  const labels = { "app.kubernetes.io/name": service };
  const files = Object.fromEntries(
    Object.entries(SIDECAR_FILES).map(([file, text]) => [file, `# ${service}\n${text}`]),
  );
  const template: Json = { metadata: { labels }, spec: podSpec(service) };
  const peers: Json = Array.from({ length: EDGES }, (_, index) => ({
    to: [{ podSelector: { matchLabels: { "app.kubernetes.io/name": `service-${String(index)}` } } }],
    ports: [{ protocol: "TCP", port: 15006 }],
  }));
  const object = (kind: string, name: string, fields: DeclaredObject["fields"], live: object = fields) => {
    const identity = { namespace: "lucid-ops", name, labels };
    return [
      { ...identity, kind, fields },
      { metadata: { ...identity, uid: `uid-of-${name}` }, ...live },
    ] as const;
  };
  const digests = Object.fromEntries(
    Object.entries(files).map(([file, text]) => [file, { $digest: textDigest(text) }] as const),
  );
  return [
    [MAPS, ...object("ConfigMap", `${service}-envoy`, { data: digests }, { data: files })],
    [MAPS, ...object("ConfigMap", `${service}-trust`, { data: { file: { $any: true } } }, { data: { file: "text" } })],
    [DEPLOYMENTS, ...object("Deployment", service, { spec: { selector: { matchLabels: labels }, template } })],
    [NETWORK_POLICIES, ...object("NetworkPolicy", service, { spec: { podSelector: {}, egress: peers } })],
  ];
}

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
        const { metadata, spec, status } = podObject(`${service}-${String(pod)}`, { service, address, ready });
        kubernetes.put(PODS, {
          metadata: { ...metadata, ownerReferences: [{ controller: true }] },
          spec: { ...(spec as object), ...podSpec(service) },
          status,
        });
      }
    }
  };
  const told = (): number =>
    names.filter((name) => {
      const status = kubernetes.get(DECLARED, name)?.status as { instances?: { registered: number } } | undefined;
      return status?.instances?.registered === PODS_EACH;
    }).length;

  /** Objects of all services, and what is declared of them. */
  const declare = (): void => {
    const declared: DeclaredObject[] = [];
    for (const [path, object, live] of names.flatMap(objectsOf)) {
      declared.push(object);
      kubernetes.put(path, live);
    }
    assert.equal(declared.length, SERVICES * COMPARED);
    for (const map of [...declaredMaps(declared), doneMap(declared)]) kubernetes.put(MAPS, map);
  };
  const drift = async (running: Program): Promise<readonly string[]> => {
    const { text } = await running.get("/metrics");
    return text.split("\n").filter((line) => /^lucid_controller_drift\{.*\} [1-9]/.test(line));
  };

  it("are registered, compared and told of in a bounded heap, which does not grow as they change", async () => {
    pods(0);
    for (const service of names) {
      const calls = names
        .slice(0, EDGES)
        .map((callee) => ({ service: callee, zone: "ops", port: "http", kind: "call" }));
      kubernetes.put(DECLARED, meshServiceObject(service, { replicas: PODS_EACH, calls }));
    }
    declare();
    const begun = performance.now();
    const running = await Program.start(kubernetes, consul, {
      RECONCILE_INTERVAL: "15",
      NODE_OPTIONS: CONTROLLER_HEAP,
    });
    program = running;
    await eventually(() => {
      assert.equal(told(), SERVICES);
    }, 240_000);
    const took = (performance.now() - begun) / 1000;
    await running.healthy();
    const first = await memoryOf(running);
    let last = first;
    for (let round = 1; round <= ROUNDS; round += 1) {
      pods(round);
      await sleep(3_000);
      last = await memoryOf(running);
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
    assert.deepEqual(await drift(running), []);
    const [changed = ""] = names;
    const [[, , before] = assert.fail("nothing is declared")] = objectsOf(changed);
    kubernetes.put(MAPS, { ...before, data: { ...before.data, "listeners.yaml": "resources: []\n" } });
    const since = performance.now();
    await eventually(async () => {
      assert.equal((await drift(running)).length, 1);
    }, DRIFT_SECONDS * 1000);
    const found = (performance.now() - since) / 1000;
    last = await memoryOf(running);
    console.log(
      `      ${String(SERVICES)} services of ${String(PODS_EACH)} pods: registered and told in ${took.toFixed(0)} s; heap ${mebibytes(first.heap)}, ` +
        `after ${String(ROUNDS)} changes of every pod and ${String(OVERVIEWS)} overviews ${mebibytes(last.heap)}; resident ${mebibytes(last.resident)}; a change of one told after ${found.toFixed(1)} s`,
    );
    assert.ok(last.resident < CONTAINER, `${mebibytes(last.resident)} resident`);
  });
});
