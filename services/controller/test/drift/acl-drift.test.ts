/** Drift of who may do what at the discovery backend, as declarations change and looks come, fail and are refused. */
import assert from "node:assert/strict";
import { setMaxListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { DeclaredObject } from "../../../../mesh/declarations/index.js";
import type { AccessTiming } from "../../src/drift/access.js";
import { Drift } from "../../src/drift/drift.js";
import { describeFinding, type Finding } from "../../src/drift/finding.js";
import { DriftRegister } from "../../src/drift/register.js";
import { ZoneDrift } from "../../src/drift/zone-drift.js";
import { KubernetesApi } from "../../src/kubernetes/api.js";
import { createLog } from "../../src/log.js";
import { AccessRefused, type AccessControl, type AccessObject } from "../../src/registry/access.js";
import { declaredMaps, doneMap } from "../support/declaration.js";
import { eventually } from "../support/eventually.js";
import { FakeKubernetes } from "../support/fake-kubernetes.js";

const CONFIG_MAPS = "/api/v1/namespaces/lucid-mesh/configmaps";
const FAST = { first: 20, limit: 40 };
const SETTLE = 30;
/** Longer than a test: whatever look there is was asked for. */
const NEVER = 600_000;
const READER = "lucid-acl-reader";
const WHY = "Consul answered 403: Permission denied";

const policy = (rules: string): DeclaredObject => ({
  kind: "AclPolicy",
  name: "lucid-registrar-ops",
  labels: {},
  fields: { rules },
});
const TOKEN: DeclaredObject = { kind: "AclToken", name: READER, labels: {}, fields: { policies: [READER] } };
const there = (objects: readonly DeclaredObject[], version = "1"): AccessObject[] =>
  objects.map(({ kind, name, fields }) => ({
    kind: kind as AccessObject["kind"],
    name,
    version,
    fields,
    gives: "something",
  }));

/** What answers looks. Each tells what there was when it began. */
class Backend implements AccessControl {
  readonly reader = READER;
  othersServed: number | undefined;
  objects: readonly AccessObject[] = [];
  failure: Error | undefined;
  /** Looks that fail. */
  failing = Number.POSITIVE_INFINITY;
  reads = 0;
  private gate: Promise<void> = Promise.resolve();
  /** Has looks answered, that were held. */
  release = (): void => undefined;

  /** Answers no look until it is released. */
  hold(): void {
    this.gate = new Promise((resolve) => {
      this.release = resolve;
    });
  }

  async read(): Promise<readonly AccessObject[]> {
    this.reads += 1;
    const { objects, failure } = this;
    const fails = this.reads <= this.failing;
    await this.gate;
    if (failure !== undefined && fails) throw failure;
    return objects;
  }
}

describe("controller: drift of ACLs, as looks come", () => {
  let kubernetes: FakeKubernetes;
  let backend: Backend;
  let drift: Drift;
  let told: string[];
  /** What is said each time that anybody is told it is other than before. */
  let changed: ReturnType<typeof of>[];
  let stop: AbortController;
  let running: Promise<void> | undefined;

  const declare = (objects: readonly DeclaredObject[]): void => {
    for (const map of declaredMaps(objects, Date.now())) kubernetes.put(CONFIG_MAPS, map);
  };
  const end = (objects: readonly DeclaredObject[]): void => {
    kubernetes.put(CONFIG_MAPS, doneMap(objects, Date.now()));
  };
  const start = (accessTiming: AccessTiming = { interval: NEVER, unknownPatience: NEVER }): void => {
    const log = createLog("error", () => undefined);
    const events = {
      changed: () => changed.push(of()),
      found: (finding: Finding) => told.push(describeFinding(finding)),
      repaired: () => undefined,
      failed: () => undefined,
    };
    const api = new KubernetesApi(kubernetes.kubeConfig());
    const register = new DriftRegister(api, log, events, "one");
    const zone = new ZoneDrift(
      "mesh",
      "lucid-mesh",
      () => false,
      () => false,
    );
    const options = { repairs: [], settle: SETTLE, access: backend, accessTiming, follow: { backoff: FAST } };
    drift = new Drift(api, api, [zone], register, log, events, options);
    running = drift.run(stop.signal);
  };
  const of = (): readonly string[] | string => {
    const found = drift.of("mesh", "mesh-controller") ?? "not declared";
    return typeof found === "string" ? found : found.map(describeFinding);
  };
  const becomes = (expected: ReturnType<typeof of>): Promise<void> =>
    eventually(() => {
      assert.deepEqual(of(), expected);
    });
  const looks = (count: number): Promise<void> =>
    eventually(() => {
      assert.equal(backend.reads, count);
    });
  /** What is judged at all is judged by now. */
  const judged = () => sleep(SETTLE + 700);

  beforeEach(async () => {
    kubernetes = await FakeKubernetes.start();
    backend = new Backend();
    stop = new AbortController();
    setMaxListeners(0, stop.signal);
    told = [];
    changed = [];
    running = undefined;
    declare([policy("a"), TOKEN]);
    end([policy("a"), TOKEN]);
    backend.objects = there([policy("a"), TOKEN]);
  });
  afterEach(async () => {
    stop.abort();
    backend.release();
    await running;
    await kubernetes.stop();
  });

  it("say that there is none once they were read, and nothing before", async () => {
    backend.failure = new Error("no answer in 5 s");
    start({ interval: 20, unknownPatience: NEVER });
    await judged();
    assert.ok(backend.reads >= 1);
    assert.equal(of(), "unseen");
    backend.failure = undefined;
    await becomes([]);
    assert.deepEqual(told, []);
    backend.failure = new Error("no answer in 5 s");
    await judged();
    assert.deepEqual(of(), [], "what was told of stands");
  });

  it("are unseen where there was no answer for long, and what was found stands", async () => {
    start({ interval: 20, unknownPatience: NEVER, silence: 500 });
    await becomes([]);
    backend.failure = new Error("no answer in 5 s");
    await becomes("unseen");
    assert.equal(changed.at(-1), "unseen", "who writes the status is told");
    backend.failure = undefined;
    await becomes([]);
    assert.deepEqual(changed.at(-1), []);
    backend.objects = there([policy("b"), TOKEN]);
    const wrong = "AclPolicy lucid-registrar-ops was changed (rules), the discovery backend does not note by whom";
    await becomes([wrong]);
    backend.failure = new AccessRefused("Consul answered 403: ACL not found", false);
    const { reads } = backend;
    await sleep(1_000);
    assert.ok(backend.reads > reads);
    assert.deepEqual(of(), [wrong]);
    // It lost its state: nobody knows it any more, and it knows nobody.
    assert.deepEqual(told, [wrong]);
  });

  it("say what else of the zone is not as declared before they were read", async () => {
    declare([policy("a"), TOKEN, { kind: "ConfigMap", namespace: "lucid-mesh", name: "gone", labels: {}, fields: {} }]);
    end([policy("a"), TOKEN, { kind: "ConfigMap", namespace: "lucid-mesh", name: "gone", labels: {}, fields: {} }]);
    backend.failure = new Error("no answer in 5 s");
    start();
    await becomes(["ConfigMap lucid-mesh/gone was removed, Kubernetes does not note by whom"]);
  });

  it("that a known token is refused twice are lost enforcement, until they are read again", async () => {
    backend.failure = new AccessRefused(WHY, true);
    start({ interval: 20, unknownPatience: NEVER });
    const lost = `AclToken ${READER} shows nobody any more who may do what at the discovery backend (${WHY})`;
    await becomes([lost]);
    assert.ok(backend.reads >= 2);
    assert.deepEqual(told, [lost]);
    backend.failure = new Error("no answer in 5 s");
    await judged();
    assert.deepEqual(of(), [lost], "no answer is no permission");
    backend.failure = undefined;
    await becomes([]);
    assert.deepEqual(told, [lost], "told once");
  });

  it("that are refused once are none", async () => {
    backend.failing = 1;
    backend.failure = new AccessRefused(WHY, true);
    start({ interval: 20, unknownPatience: NEVER });
    await becomes([]);
    assert.deepEqual(told, []);
  });

  it("that are refused leave standing what was told of", async () => {
    backend.objects = there([policy("b"), TOKEN]);
    start({ interval: 20, unknownPatience: NEVER });
    const changed = "AclPolicy lucid-registrar-ops was changed (rules), the discovery backend does not note by whom";
    await becomes([changed]);
    backend.objects = there([policy("a"), TOKEN]);
    backend.failure = new AccessRefused(WHY, true);
    await eventually(() => {
      assert.equal(told.length, 2);
    });
    assert.ok(of().includes(changed), String(of()));
    backend.failure = undefined;
    await becomes([]);
  });

  it("whose token is unknown are lost only where the backend goes on serving others", async () => {
    backend.failure = new AccessRefused("Consul answered 403: ACL not found", false);
    backend.othersServed = Date.now() - 1;
    start({ interval: 20, unknownPatience: 200 });
    await judged();
    assert.ok(backend.reads >= 2);
    assert.equal(of(), "unseen", "a backend that lost its state serves nobody");
    assert.deepEqual(told, []);
    backend.othersServed = Date.now();
    await eventually(() => {
      assert.match(String(of()), /lucid-acl-reader shows nobody any more .*ACL not found/);
    });
  });

  it("whose token is unknown are left to it while it may be on its way here", async () => {
    backend.failure = new AccessRefused("Consul answered 403: ACL not found", false);
    start({ interval: 20, unknownPatience: NEVER });
    await eventually(() => {
      assert.ok(backend.reads >= 3);
    });
    backend.othersServed = Date.now();
    await judged();
    assert.equal(of(), "unseen");
    assert.deepEqual(told, []);
  });

  it("whose token an update changes are left to the update", async () => {
    const other: DeclaredObject = { ...TOKEN, fields: { policies: ["lucid-acl-reader-2"] } };
    declare([policy("a"), other]);
    backend.failure = new AccessRefused(WHY, true);
    start({ interval: 20, unknownPatience: NEVER });
    await judged();
    assert.equal(of(), "unseen");
    assert.deepEqual(told, []);
    end([policy("a"), other]);
    await eventually(() => {
      assert.equal(told.length, 1);
    });
  });

  it("are judged after an update by a look that began after it, at once", async () => {
    start();
    await becomes([]);
    const { reads } = backend;
    declare([policy("b"), TOKEN]);
    await looks(reads + 1);
    await judged();
    // Pulumi changes the policy between two looks, and ends.
    backend.objects = there([policy("b"), TOKEN], "2");
    end([policy("b"), TOKEN]);
    await looks(reads + 2);
    await judged();
    assert.deepEqual([of(), told], [[], []]);
  });

  it("are not judged by a look that was under way when the update ended", async () => {
    start();
    await becomes([]);
    const { reads } = backend;
    backend.hold();
    declare([policy("b"), TOKEN]);
    await looks(reads + 1);
    backend.objects = there([policy("b"), TOKEN], "2");
    end([policy("b"), TOKEN]);
    await judged();
    assert.equal(backend.reads, reads + 1, "one look at a time");
    assert.deepEqual([of(), told], [[], []]);
    backend.release();
    await looks(reads + 2);
    await judged();
    assert.deepEqual([of(), told], [[], []]);
  });

  it("are told of where they are other than an update left them", async () => {
    start();
    await becomes([]);
    declare([policy("b"), TOKEN]);
    end([policy("b"), TOKEN]);
    await becomes(["AclPolicy lucid-registrar-ops was changed (rules), the discovery backend does not note by whom"]);
  });
});
