import assert from "node:assert/strict";
import fc from "fast-check";
import { amplification, showPath, type Hop } from "../../../../mesh/traffic";

const hop = (text: string): Hop => {
  const [from = "", to = "", factor = "1"] = text.split(" ");
  return { from, to, factor: Number(factor) };
};

/** `a b 3` is a call from a to b of three tries. */
const totals = (...hops: string[]) =>
  Object.fromEntries(amplification(hops.map(hop)).services.map(({ service, total }) => [service, total]));
const pathTo = (service: string, ...hops: string[]) =>
  showPath(amplification(hops.map(hop)).services.find((each) => each.service === service)?.path ?? []);

describe("amplification", () => {
  const rows: readonly [title: string, hops: string[], expected: Record<string, number>][] = [
    ["nothing", [], {}],
    ["a call without repeats", ["a b"], { a: 1, b: 1 }],
    ["one layer", ["a b 3"], { a: 1, b: 3 }],
    ["three layers of three", ["a b 3", "b c 3", "c d 3"], { a: 1, b: 3, c: 9, d: 27 }],
    ["two ways, of which the worse counts", ["a b 2", "a c 3", "b d 5", "c d 2"], { a: 1, b: 2, c: 3, d: 10 }],
    ["two ports of one callee, of which the worse counts", ["a b 1", "a b 4"], { a: 1, b: 4 }],
    ["a circle in which nothing is repeated", ["a b 3", "b c", "c b", "c d 2"], { a: 1, b: 3, c: 3, d: 6 }],
    ["two entries into a circle", ["x b 2", "y c 5", "b c", "c b", "b d"], { x: 1, y: 1, b: 5, c: 5, d: 5 }],
  ];
  for (const [title, hops, expected] of rows) {
    it(title, () => {
      assert.deepEqual(totals(...hops), expected);
    });
  }

  it("names the whole path with its factors", () => {
    assert.equal(pathTo("d", "a b 3", "b c", "c d 2", "x d 4"), "a → b ×3 → c ×1 → d ×2");
    assert.equal(pathTo("d", "x b 2", "y c 5", "b c", "c b", "b d"), "y → c ×5 → b ×1 → d ×1");
    assert.equal(pathTo("b", "a b"), "");
  });

  it("names a circle whose calls are repeated, beginning with the one that multiplies", () => {
    const circles = (...hops: string[]) => amplification(hops.map(hop)).circles.map(showPath);
    assert.deepEqual(circles("a b", "b c", "c a"), []);
    assert.deepEqual(circles("a b", "b c 2", "c a", "x a"), ["b → c ×2 → a ×1 → b ×1"]);
    assert.deepEqual(circles("a b 2", "b a 2", "c d 3", "d c"), ["c → d ×3 → c ×1", "a → b ×2 → a ×2"]);
  });

  const graphs = fc.array(fc.record({ from: fc.nat(5), to: fc.nat(5), factor: fc.integer({ min: 1, max: 3 }) }), {
    maxLength: 14,
  });
  const named = (list: readonly { from: number; to: number; factor: number }[]): Hop[] =>
    list
      .filter(({ from, to }) => from !== to)
      .map(({ from, to, factor }) => ({ from: `s${String(from)}`, to: `s${String(to)}`, factor }));

  it("finds what a search of every simple path finds, wherever there is a bound", () => {
    fc.assert(
      fc.property(graphs, (list) => {
        const hops = named(list);
        const { services, circles } = amplification(hops);
        fc.pre(circles.length === 0);
        for (const { service, total } of services) assert.equal(total, bruteForce(hops, service), service);
      }),
      { numRuns: 500 },
    );
  });

  it("finds a circle that multiplies exactly where there is one", () => {
    fc.assert(
      fc.property(graphs, (list) => {
        const hops = named(list);
        const { circles } = amplification(hops);
        const multiplying = hops.some((each) => each.factor > 1 && bruteForce(hops, each.from, each.to) > 0);
        assert.equal(circles.length > 0, multiplying);
        for (const circle of circles) {
          assert.equal(circle[0]?.from, circle.at(-1)?.to);
          assert.ok((circle[0]?.factor ?? 0) > 1);
          assertJoined(circle);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("gives a path of declared calls whose product is the total, whatever the graph", () => {
    fc.assert(
      fc.property(graphs, (list) => {
        const hops = named(list);
        const { services, circles } = amplification(hops);
        fc.pre(circles.length === 0);
        for (const { service, total, path } of services) {
          assert.equal(
            path.reduce((product, { factor }) => product * factor, 1),
            total,
          );
          assert.ok(path.every((each) => hops.includes(each)));
          assertJoined(path);
          assert.equal(path.at(-1)?.to ?? service, service);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("takes a chain, a circle and a dense mesh of thousands of services in its stride", () => {
    const size = 5000;
    const name = (index: number) => `s${String(index % size)}`;
    const chain = Array.from({ length: size - 1 }, (_, index) => ({
      from: name(index),
      to: name(index + 1),
      factor: 1,
    }));
    const circle = [...chain, { from: name(size - 1), to: name(0), factor: 1 }];
    assert.equal(amplification(chain).services.length, size);
    assert.equal(amplification(circle).services.length, size);
    assert.deepEqual(
      amplification([{ ...chain[0], from: "s0", to: "s1", factor: 2 }, ...circle.slice(1)]).circles.length,
      1,
    );
    const dense = Array.from({ length: 100_000 }, (_, index) => ({
      from: name(index),
      to: name(index * 7 + 1 + (index % 13)),
      factor: 1 + (index % 2),
    }));
    assert.equal(amplification(dense).services.length, size);
  });
});

function assertJoined(path: readonly Hop[]): void {
  path.slice(1).forEach(({ from }, index) => {
    assert.equal(path[index]?.to, from);
  });
}

/** The largest product over all simple paths that end at a service (and begin at `start`, where given; 0 where there is none). */
function bruteForce(hops: readonly Hop[], end: string, start?: string): number {
  const search = (node: string, visited: readonly string[]): number => {
    const here = start === undefined || node === start ? 1 : 0;
    return hops
      .filter(({ from, to }) => to === node && !visited.includes(from))
      .reduce((worst, { from, factor }) => Math.max(worst, factor * search(from, [...visited, from])), here);
  };
  return search(end, [end]);
}
