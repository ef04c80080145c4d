import assert from "node:assert/strict";
import { Canary, type CanaryOptions, type CanaryZone } from "../../src/canary/canary.js";
import type { CanaryPod, Layer, LetIn, Outcome } from "../../src/canary/model.js";
import { parsePod } from "../../src/pod.js";
import type { DeclaredService } from "../../src/services/resource.js";
import { ZoneView } from "../../src/zone.js";
import { podObject, type PodOptions } from "../support/objects.js";

const INTERVAL = 60_000;
const OWN = "mesh-controller-a";

/** A canary whose clock and whose tries are the test's. */
class World {
  now = 0;
  isLetOut = true;
  readonly pods = new Map<string, ReturnType<typeof parsePod>>();
  readonly declared = new Map<string, Partial<DeclaredService>>([
    ["admin-ui", {}],
    ["mesh-controller", {}],
  ]);
  readonly dead = new Set<string>();
  /** What a try gives, by pod; `enforced` where nothing is said. */
  readonly outcomes = new Map<string, Partial<Record<Layer, Outcome>>>();
  readonly tries: { readonly at: number; readonly pod: string; readonly layer: Layer }[] = [];
  readonly told: string[] = [];
  underWay = 0;
  most = 0;
  readonly canary: Canary;

  constructor(options: Partial<CanaryOptions> = {}) {
    const store = { namespace: "lucid-ops", all: () => this.pods.values() };
    const view = new ZoneView("ops", store as never, (node) => this.dead.has(node));
    const zone: CanaryZone = {
      view,
      services: { get: (name) => this.declared.get(name) as DeclaredService | undefined },
    };
    const knock = (layer: Layer) => async (pod: CanaryPod) => {
      this.underWay += 1;
      this.most = Math.max(this.most, this.underWay);
      this.tries.push({ at: this.now, pod: pod.name, layer });
      await Promise.resolve();
      this.underWay -= 1;
      return { outcome: this.outcomes.get(pod.name)?.[layer] ?? ("enforced" as const), detail: `at the ${layer}` };
    };
    const tell = (what: string) => (letIn: LetIn) => this.told.push(`${what} ${letIn.pod.name} ${letIn.layer}`);
    this.canary = new Canary(
      [zone],
      { tried: () => undefined, lost: tell("lost"), over: tell("over") },
      {
        interval: INTERVAL,
        ownPod: OWN,
        resolver: undefined,
        isLetOut: () => this.isLetOut,
        knock: { network: knock("network"), sidecar: knock("sidecar") },
        now: () => this.now,
        random: () => 0.5,
        ...options,
      },
    );
  }

  pod(name: string, options: PodOptions = {}): void {
    this.pods.set(name, parsePod(podObject(name, options)));
  }

  /** Lets time pass, with two looks a second. */
  async pass(seconds: number): Promise<void> {
    for (let half = 0; half < 2 * seconds; half += 1) {
      this.now += 500;
      await this.canary.look();
    }
  }

  counts(layer: Layer): Record<string, number> {
    return Object.fromEntries(
      this.canary.counts.filter((count) => count.layer === layer).map(({ outcome, count }) => [outcome, count]),
    );
  }
}

describe("the live canary", () => {
  it("asks each ready pod at the network about every minute, and at the sidecar every five", async () => {
    const world = new World();
    world.pod("a");
    await world.pass(630);
    const times = (layer: Layer) => world.tries.filter((one) => one.layer === layer).map(({ at }) => at);
    assert.equal(times("network").length, 11);
    assert.equal(times("sidecar").length, 3);
    assert.ok((times("network")[0] ?? 0) < 10_000);
    assert.deepEqual(world.counts("network"), { enforced: 1, "let-in": 0, blind: 0 });
    assert.deepEqual(world.canary.counts[0]?.node, "node-1");
    assert.deepEqual(world.told, []);
  });

  it("tells of a let in pod within seconds of the first try, once, and of its end", async () => {
    const world = new World();
    world.pod("a");
    world.pod("b");
    await world.pass(20);
    world.outcomes.set("a", { network: "let-in" });
    await world.pass(70);
    assert.deepEqual(world.told, ["lost a network"]);
    assert.deepEqual(world.counts("network"), { enforced: 1, "let-in": 1, blind: 0 });
    assert.deepEqual(
      world.canary.letIn.map(({ pod, layer, detail }) => `${pod.name} ${layer} ${detail}`),
      ["a network at the network"],
    );
    const tries = world.tries.filter(({ pod, layer, at }) => pod === "a" && layer === "network" && at > 20_000);
    const [first = 0, second = 0, third = 0] = tries.map(({ at }) => at);
    assert.deepEqual([second - first, third - second], [2_000, 2_000]);
    await world.pass(300);
    assert.deepEqual(world.told, ["lost a network"]);
    world.outcomes.clear();
    await world.pass(60);
    assert.deepEqual(world.told, ["lost a network", "over a network"]);
    assert.deepEqual(world.canary.letIn, []);
    assert.deepEqual(world.counts("network"), { enforced: 2, "let-in": 0, blind: 0 });
  });

  it("goes on to tell for longer than a scrape takes", async () => {
    const world = new World();
    world.pod("a");
    await world.pass(10);
    world.outcomes.set("a", { network: "let-in" });
    while (world.canary.letIn.length === 0) await world.pass(1);
    const since = world.now;
    world.outcomes.clear();
    while (world.canary.letIn.length > 0) await world.pass(1);
    assert.ok(world.now - since >= 25_000, String(world.now - since));
  });

  it("says nothing of one or two tries that fall into a change", async () => {
    const world = new World();
    world.pod("a");
    await world.pass(10);
    for (const outcome of ["let-in", "blind"] as const) {
      world.outcomes.set("a", { network: outcome, sidecar: outcome });
      const { length } = world.tries;
      while (world.tries.length === length) await world.pass(0.5);
      world.outcomes.clear();
      await world.pass(30);
    }
    assert.deepEqual(world.told, []);
    assert.deepEqual(world.counts("network"), { enforced: 1, "let-in": 0, blind: 0 });
  });

  it("is blind, and not enforced, where what must answer doesn't; that is no loss", async () => {
    const world = new World();
    world.pod("a");
    await world.pass(10);
    world.outcomes.set("a", { network: "blind", sidecar: "blind" });
    await world.pass(400);
    assert.deepEqual(world.counts("network"), { enforced: 0, "let-in": 0, blind: 1 });
    assert.deepEqual(world.counts("sidecar"), { enforced: 0, "let-in": 0, blind: 1 });
    assert.deepEqual(world.told, []);
    assert.equal(world.canary.blind.length, 2);
  });

  it("is blind where a try hangs", async () => {
    const world = new World({
      knock: { network: () => new Promise(() => undefined), sidecar: () => new Promise(() => undefined) },
    });
    world.pod("a");
    void world.canary.look();
    world.now += 10_000;
    void world.canary.look();
    assert.deepEqual(world.canary.counts, [], "nothing is known yet");
    let hangs = false;
    const hanging = new World({
      knock: {
        network: () => (hangs ? new Promise(() => undefined) : Promise.resolve({ outcome: "enforced", detail: "" })),
        sidecar: () => Promise.resolve({ outcome: "enforced", detail: "" }),
      },
    });
    hanging.pod("a");
    await hanging.pass(10);
    assert.equal(hanging.counts("network").enforced, 1);
    hangs = true;
    hanging.now += 60_000;
    void hanging.canary.look();
    hanging.now += 4 * INTERVAL;
    assert.deepEqual(hanging.counts("network"), { enforced: 0, "let-in": 0, blind: 1 });
  });

  it("is blind at the network while the controller may be what refuses, and not where it is let in", async () => {
    const world = new World();
    world.pod("a");
    world.pod("b");
    world.isLetOut = false;
    world.outcomes.set("b", { network: "let-in" });
    await world.pass(30);
    assert.deepEqual(world.counts("network"), { enforced: 0, "let-in": 1, blind: 1 });
    assert.deepEqual(world.counts("sidecar"), { enforced: 2, "let-in": 0, blind: 0 });
    assert.deepEqual(world.told, ["lost b network"]);
  });

  it("asks no pod that is not ready, has no address, is on its way out, on a dead node, runs to completion, has no sidecar, or is its own", async () => {
    const world = new World();
    world.pod("unready", { ready: false });
    world.pod("homeless", { address: null });
    world.pod("ending", { terminating: true });
    world.pod("stranded", { node: "node-9" });
    world.dead.add("node-9");
    world.pod("job", {
      labels: {
        "app.kubernetes.io/name": "admin-ui",
        "lucid.internal/meshed": "true",
        "lucid.internal/completes": "true",
      },
    });
    world.pod("issuer", { service: "issuer-ops", labels: { "app.kubernetes.io/name": "issuer-ops" } });
    world.pod(OWN, { service: "mesh-controller" });
    await world.pass(120);
    assert.deepEqual(world.tries, []);
    assert.deepEqual(world.canary.counts, []);
  });

  it("tries of its own pod the way out, where it is told of a resolver", async () => {
    const ways: (string | undefined)[] = [];
    const enforced = { outcome: "enforced", detail: "" } as const;
    const world = new World({
      resolver: "10.96.64.53",
      knock: {
        network: ({ wayOut }) => {
          ways.push(wayOut);
          return Promise.resolve(enforced);
        },
        sidecar: () => Promise.reject(new Error("its own sidecar is not asked")),
      },
    });
    world.pod(OWN, { service: "mesh-controller" });
    await world.pass(400);
    assert.ok(ways.length > 5);
    assert.deepEqual([...new Set(ways)], ["10.96.64.53"]);
    assert.deepEqual(world.counts("network"), { enforced: 1, "let-in": 0, blind: 0 });
    assert.deepEqual(world.counts("sidecar"), {});
  });

  it("asks pods that let nobody in whether they do, and takes their silence for nothing", async () => {
    const world = new World();
    world.declared.set("revoked", { revoked: "its key was lost" });
    world.pod("r", { service: "revoked" });
    world.pod("stranger", { service: "nobodys" });
    world.pod("other", { service: "mesh-controller" });
    world.pod("impostor", { serviceAccount: "somebody" });
    await world.pass(400);
    assert.deepEqual([...new Set(world.tries.map(({ pod, layer }) => `${pod} ${layer}`))].sort(), [
      "impostor network",
      "impostor sidecar",
      "other network",
      "r network",
      "stranger network",
    ]);
    assert.deepEqual(world.counts("network"), { enforced: 1, "let-in": 0, blind: 0 });
    world.outcomes.set("r", { network: "let-in" });
    await world.pass(80);
    assert.deepEqual(world.told, ["lost r network"]);
    assert.equal(world.counts("network")["let-in"], 1);
  });

  it("forgets a pod that goes, and begins anew with another of its name", async () => {
    const world = new World();
    world.pod("a", { uid: "1" });
    world.outcomes.set("a", { network: "let-in" });
    await world.pass(30);
    assert.deepEqual(world.told, ["lost a network"]);
    world.pod("a", { uid: "2" });
    await world.pass(0.5);
    assert.deepEqual(world.told, ["lost a network", "over a network"]);
    assert.deepEqual(world.canary.counts, []);
    await world.pass(30);
    assert.deepEqual(world.told.slice(2), ["lost a network"]);
    world.pods.clear();
    await world.pass(0.5);
    assert.deepEqual(world.told.slice(3), ["over a network"]);
  });

  it("asks no more than 32 pods at the same time, and comes to all of 1,500 in a round", async () => {
    const world = new World();
    for (let index = 0; index < 1_500; index += 1) world.pod(`p${String(index)}`);
    await world.pass(60);
    assert.ok(world.most <= 32, String(world.most));
    assert.equal(new Set(world.tries.map(({ pod }) => pod)).size, 1_500);
  });

  it("knocks nowhere where no interval is given", async () => {
    const world = new World({ interval: 0 });
    world.pod("a");
    const stop = new AbortController();
    await world.canary.run(stop.signal);
    assert.deepEqual(world.tries, []);
  });
});
