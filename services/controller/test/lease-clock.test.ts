import assert from "node:assert/strict";
import { LeaseClock } from "../src/lease-clock.js";

/** Nodes a and b and a clock in seconds; `renew` counts up on its own. */
function world(ttl = 60): {
  clock: LeaseClock;
  advance: (seconds: number, ...renewing: string[]) => string[];
  relist: (leases: Record<string, string>) => string[];
  renewal: (node: string) => string;
} {
  let now = 0;
  const renewals = new Map<string, string>([
    ["a", "a0"],
    ["b", "b0"],
  ]);
  const clock = new LeaseClock(ttl * 1000, () => now);
  clock.restart([...renewals].map(([node, renewed]) => ({ node, renewed })));
  return {
    clock,
    renewal: (node) => renewals.get(node) ?? "",
    relist: (leases) => clock.restart(Object.entries(leases).map(([node, renewed]) => ({ node, renewed }))),
    // Second by second; nodes that renew do so every ten seconds.
    advance: (seconds, ...renewing) => {
      const died: string[] = [];
      for (let second = 0; second < seconds; second += 1) {
        now += 1_000;
        if (now % 10_000 === 0) {
          for (const node of renewing) {
            renewals.set(node, `${node}${String(now)}`);
            clock.seen(node, renewals.get(node) ?? "");
          }
        }
        died.push(...clock.update());
      }
      return died;
    },
  };
}

describe("controller: node leases", () => {
  it("nobody dies who renews", () => {
    assert.deepEqual(world().advance(600, "a", "b"), []);
  });

  it("a node that stops renewing is dead after the TTL, not before, and once", () => {
    const { advance, clock } = world();
    advance(30, "a", "b");
    assert.deepEqual(advance(60, "a"), []);
    assert.deepEqual(advance(2, "a"), ["b"]);
    assert.equal(clock.isDead("b"), true);
    assert.equal(clock.isDead("a"), false);
    assert.deepEqual(advance(60, "a"), []);
  });

  it("the TTL is the one that was set", () => {
    const { advance } = world(20);
    advance(30, "a", "b");
    assert.deepEqual(advance(20, "a"), []);
    assert.deepEqual(advance(2, "a"), ["b"]);
  });

  it("a dead node that renews is back", () => {
    const { advance, clock } = world();
    advance(100, "a");
    assert.deepEqual(clock.dead(), ["b"]);
    assert.equal(clock.seen("b", "b-later"), true);
    assert.deepEqual(clock.dead(), []);
  });

  it("where nobody renews, the API server is at fault, and nobody is dead", () => {
    const { advance } = world();
    advance(60, "a", "b");
    assert.deepEqual(advance(3600), []);
  });

  it("after such a time everyone gets a whole TTL again", () => {
    const { advance, clock } = world();
    advance(60, "a", "b");
    advance(3600);
    clock.seen("a", "first after the stall");
    assert.deepEqual(clock.update(), []);
    assert.deepEqual(advance(50, "a"), []);
    assert.deepEqual(advance(20, "a"), ["b"]);
  });

  it("a lone node is never taken for dead: there is nobody to compare it with", () => {
    const { advance, relist } = world();
    relist({ a: "a0" });
    assert.deepEqual(advance(600), []);
  });

  it("while leases can't be seen nobody dies, and the dead stay dead", () => {
    const { advance, clock } = world();
    advance(90, "a");
    assert.deepEqual(clock.dead(), ["b"]);
    clock.blind();
    assert.deepEqual(advance(600, "a"), []);
    assert.deepEqual(clock.dead(), ["b"]);
  });

  it("a new list brings back who renewed meanwhile, and nobody else", () => {
    const { advance, clock, relist, renewal } = world();
    advance(90, "a");
    clock.blind();
    assert.deepEqual(relist({ a: "a-new", b: renewal("b") }), []);
    assert.deepEqual(clock.dead(), ["b"]);
    assert.deepEqual(relist({ a: "a-newer", b: "b-new" }), ["b"]);
    assert.deepEqual(clock.dead(), []);
  });

  it("a node that was removed is forgotten", () => {
    const { advance, clock } = world();
    advance(90, "a");
    assert.equal(clock.forget("b"), true);
    assert.equal(clock.isDead("b"), false);
    assert.equal(clock.forget("a"), false);
  });
});
