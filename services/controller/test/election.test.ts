import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { aborted } from "../src/backoff.js";
import { Elector, electionTiming, type ElectionTiming } from "../src/election/elector.js";
import { fencedApi, fencedRegistry } from "../src/election/fence.js";
import { Lease } from "../src/election/lease.js";
import { NotLeading, Term } from "../src/election/term.js";
import { KubernetesApi } from "../src/kubernetes/api.js";
import type { Registry } from "../src/registry/registry.js";
import { eventually } from "./support/eventually.js";
import { FakeKubernetes } from "./support/fake-kubernetes.js";

const LEASES = "/apis/coordination.k8s.io/v1/namespaces/lucid-mesh/leases";
const NAME = "mesh-controller";
const TIMING: ElectionTiming = { lease: 2_000, renewDeadline: 1_300, retry: 150 };

interface LeaseSpec {
  readonly holderIdentity?: string;
  readonly leaseTransitions?: number;
  readonly renewTime?: string;
}

/** One replica, and what became of it. */
class Replica {
  readonly said: string[] = [];
  readonly stop = new AbortController();
  terms = 0;
  running: Promise<void>;
  term: Term | undefined;
  readonly elector: Elector;

  constructor(kubernetes: FakeKubernetes, identity: string, { now, lead }: Partial<Behaviour> = {}) {
    const lease = new Lease(new KubernetesApi(kubernetes.kubeConfig()), "lucid-mesh", NAME);
    const events = {
      elected: () => this.said.push("elected"),
      over: (outcome: string) => this.said.push(outcome),
      leader: () => undefined,
      failed: (error: unknown) => this.said.push(`failed: ${String(error)}`),
    };
    this.elector = new Elector(lease, identity, TIMING, events, now);
    this.running = this.elector.run(async (term) => {
      this.terms += 1;
      this.term = term;
      await (lead?.(term) ?? aborted(term.signal));
      this.term = undefined;
    }, this.stop.signal);
  }

  async end(): Promise<void> {
    this.stop.abort();
    await this.running;
  }
}

interface Behaviour {
  readonly now: () => number;
  readonly lead: (term: Term) => Promise<void>;
}

describe("controller: leader election", () => {
  let kubernetes: FakeKubernetes;
  let replicas: Replica[];

  beforeEach(async () => {
    kubernetes = await FakeKubernetes.start();
    replicas = [];
  });
  afterEach(async () => {
    kubernetes.intercept = () => undefined;
    await Promise.all(replicas.map((replica) => replica.end().catch(() => undefined)));
    await kubernetes.stop();
  });

  const replica = (identity: string, behaviour?: Partial<Behaviour>): Replica => {
    const made = new Replica(kubernetes, identity, behaviour);
    replicas.push(made);
    return made;
  };
  const spec = (): LeaseSpec => kubernetes.get(LEASES, NAME)?.spec ?? {};
  const leads = (one: Replica, within = 5_000): Promise<void> =>
    eventually(() => {
      assert.ok(one.elector.leading);
    }, within);

  it("has one of two lead, and the other know whom it follows", async () => {
    const [one, other] = [replica("one"), replica("other")];
    await eventually(() => {
      assert.equal([one, other].filter(({ elector }) => elector.leading).length, 1);
    });
    const [leader, follower] = one.elector.leading ? [one, other] : [other, one];
    await eventually(() => {
      assert.equal(follower.elector.leader, leader.elector.identity);
    });
    for (let count = 0; count < 20; count += 1) {
      assert.deepEqual([leader.elector.leading, follower.elector.leading], [true, false]);
      await sleep(100);
    }
    assert.equal(spec().leaseTransitions, 0);
    assert.match(spec().renewTime ?? "", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  });

  it("gives the lead back at its end, so that the other needn't wait", async () => {
    const one = replica("one");
    await leads(one);
    const other = replica("other");
    await eventually(() => {
      assert.equal(other.elector.leader, "one");
    });
    await one.end();
    const begun = performance.now();
    assert.equal(spec().holderIdentity ?? null, null);
    await leads(other);
    assert.ok(performance.now() - begun < TIMING.lease, "sooner than the lease would have ended");
    assert.deepEqual(one.said, ["elected", "released"]);
    assert.equal(spec().leaseTransitions, 1);
  });

  it("takes the lead of one that is gone when its lease ends, and not before", async () => {
    kubernetes.put(LEASES, {
      metadata: { name: NAME },
      // By a clock that is years behind.
      spec: {
        holderIdentity: "gone",
        leaseDurationSeconds: 2,
        leaseTransitions: 4,
        renewTime: "2020-01-01T00:00:00.000000Z",
      },
    });
    const begun = performance.now();
    const one = replica("one");
    await leads(one);
    const took = performance.now() - begun;
    assert.ok(took >= TIMING.lease, `${String(took)} ms: no time-stamp counts, but the time since it was seen`);
    assert.equal(spec().leaseTransitions, 5);
  });

  it("respects a lease as long as it is renewed, whatever the times that stand in it", async () => {
    const one = replica("one");
    for (let count = 0; count < 15; count += 1) {
      kubernetes.put(LEASES, {
        metadata: { name: NAME },
        spec: {
          holderIdentity: "ahead",
          leaseDurationSeconds: 1,
          renewTime: `2020-01-01T00:00:${String(count + 10)}.000000Z`,
        },
      });
      await sleep(150);
      assert.equal(one.elector.leading, false);
    }
    assert.equal(one.terms, 0);
  });

  it("gives up before others can take over, where it can't renew", async () => {
    const one = replica("one");
    await leads(one);
    kubernetes.intercept = (kind) => (kind === "PATCH" ? 500 : undefined);
    const begun = performance.now();
    await eventually(() => {
      assert.equal(one.term, undefined);
    });
    const took = performance.now() - begun;
    assert.ok(took < TIMING.lease, `${String(took)} ms`);
    assert.ok(one.said.includes("lost"), one.said.join());
    // It comes back by itself.
    kubernetes.intercept = () => undefined;
    await leads(one);
    assert.equal(one.terms, 2);
  });

  it("gives up where its renewals get no answer at all", async () => {
    const one = replica("one");
    await leads(one);
    kubernetes.intercept = (kind) => (kind === "PATCH" ? "hang" : undefined);
    const begun = performance.now();
    await eventually(() => {
      assert.equal(one.term, undefined);
    });
    assert.ok(performance.now() - begun < TIMING.lease);
  });

  it("survives a single failed renewal", async () => {
    const one = replica("one");
    await leads(one);
    let left = 2;
    kubernetes.intercept = (kind) => (kind === "PATCH" && left-- > 0 ? 500 : undefined);
    await sleep(TIMING.lease * 2);
    assert.equal(one.terms, 1);
    assert.ok(one.elector.leading);
    assert.equal(one.said.filter((text) => text.startsWith("failed")).length, 2);
  });

  it("gives up at once where another holds the Lease", async () => {
    const one = replica("one");
    await leads(one);
    kubernetes.put(LEASES, { metadata: { name: NAME }, spec: { holderIdentity: "usurper", leaseDurationSeconds: 60 } });
    await eventually(() => {
      assert.equal(one.term, undefined);
    }, TIMING.retry * 4);
    assert.deepEqual(one.said, ["elected", "lost"]);
    assert.equal(one.elector.leader, "usurper");
  });

  it("goes on where somebody writes something else of the Lease", async () => {
    const one = replica("one");
    await leads(one);
    const object = kubernetes.get(LEASES, NAME);
    assert.ok(object !== undefined);
    kubernetes.put(LEASES, { ...object, metadata: { ...object.metadata, labels: { note: "x" } } });
    await sleep(TIMING.lease);
    assert.equal(one.terms, 1);
    assert.ok(one.elector.leading);
  });

  it("makes the Lease anew where somebody deleted it, after it stopped", async () => {
    const one = replica("one");
    await leads(one);
    kubernetes.delete(LEASES, NAME);
    await eventually(() => {
      assert.equal(one.terms, 2);
    });
    await leads(one);
  });

  it("begins no term before the work of the last one has ended", async () => {
    let running = 0;
    const one = replica("one", {
      lead: async (term) => {
        running += 1;
        assert.equal(running, 1);
        await aborted(term.signal);
        await sleep(300);
        running -= 1;
      },
    });
    await leads(one);
    kubernetes.delete(LEASES, NAME);
    await eventually(() => {
      assert.equal(one.terms, 2);
    });
  });

  it("throws what its work throws, with the lead given back", async () => {
    const one = replica("one", { lead: () => Promise.reject(new Error("defect")) });
    await assert.rejects(one.running, /defect/);
    assert.equal(spec().holderIdentity ?? null, null);
  });

  it("does not lead any more when its clock says so, though no timer has run", async () => {
    let offset = 0;
    const one = replica("one", { now: () => performance.now() + offset });
    await leads(one);
    const { term } = one;
    // As after a pause of the whole process.
    offset = TIMING.renewDeadline;
    assert.equal(one.elector.leading, false);
    assert.throws(() => term?.assertHeld(), NotLeading);
  });

  it("has a lease of 15 s, and of half the life of registrations where they live shorter", () => {
    assert.deepEqual(electionTiming(60), { lease: 15_000, renewDeadline: 10_000, retry: 2_000 });
    for (let ttl = 15; ttl <= 3600; ttl += 1) {
      const { lease, renewDeadline, retry } = electionTiming(ttl);
      assert.ok(lease <= (ttl * 1000) / 2);
      assert.ok(renewDeadline < lease && retry * 4 < renewDeadline);
      // Kubernetes takes whole seconds, timers whole milliseconds.
      for (const value of [lease / 1000, renewDeadline, retry]) {
        assert.ok(Number.isInteger(value), `${String(ttl)}: ${String(value)}`);
      }
    }
  });
});

describe("controller: the fence", () => {
  const after = async (term: Term): Promise<string[]> => {
    const done: string[] = [];
    const act = (what: string) => () => {
      done.push(what);
      return Promise.resolve({});
    };
    const remove = async (): Promise<void> => {
      await act("remove")();
    };
    const api = fencedApi({ get: act("get"), create: act("create"), patch: act("patch"), remove }, term);
    const { signal } = new AbortController();
    const step = {
      kind: "register",
      done: "",
      after: "unread" as const,
      carryOut: async () => {
        await act("register")();
      },
    };
    const registry: Registry = {
      title: "test",
      lastSuccess: undefined,
      read: () => Promise.resolve(new Map()),
      steps: () => [step],
      run: () => Promise.resolve(),
      close: () => undefined,
    };
    const [fenced] = fencedRegistry(registry, term).steps("ops", "pod", undefined, undefined);
    for (const write of [
      () => api.get("/", signal),
      () => api.create("/", {}, signal),
      () => api.patch("/", {}, signal),
      () => api.remove("/", "", signal),
      () => fenced?.carryOut(),
    ]) {
      await Promise.resolve(write()).catch((error: unknown) => done.push((error as Error).name));
    }
    return done;
  };

  it("lets a leader write, and one that has given up only read", async () => {
    let now = 0;
    const term = new Term(1_000, () => now);
    assert.deepEqual(await after(term), ["get", "create", "patch", "remove", "register"]);
    now = 1_000;
    assert.deepEqual(await after(term), ["get", "NotLeading", "NotLeading", "NotLeading", "NotLeading"]);
    term.extend(2_000);
    assert.deepEqual(await after(term), ["get", "create", "patch", "remove", "register"]);
    term.lose();
    assert.deepEqual(await after(term), ["get", "NotLeading", "NotLeading", "NotLeading", "NotLeading"]);
  });

  it("lets one that was told to end finish what it does", async () => {
    const term = new Term(1_000, () => 0);
    term.end();
    assert.ok(term.signal.aborted && !term.lost.aborted);
    assert.deepEqual(await after(term), ["get", "create", "patch", "remove", "register"]);
  });
});
