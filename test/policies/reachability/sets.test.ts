import assert from "node:assert/strict";
import fc from "fast-check";
import { AddressSet } from "../../../policies/reachability/sets/address-set";
import { IntervalSet } from "../../../policies/reachability/sets/interval-set";
import { PortSet } from "../../../policies/reachability/sets/port-set";

const UNIVERSE = Array.from({ length: 24 }, (_, number) => BigInt(number));

const interval = fc
  .tuple(fc.nat(23), fc.nat(23))
  .map(([a, b]) => ({ first: BigInt(Math.min(a, b)), last: BigInt(Math.max(a, b)) }));
const intervals = fc.array(interval, { maxLength: 6 });

/** The numbers of a set, one by one. */
function members(set: IntervalSet): bigint[] {
  return UNIVERSE.filter((number) => set.has(number));
}

describe("interval sets", () => {
  it("do as sets of numbers do", () => {
    fc.assert(
      fc.property(intervals, intervals, (left, right) => {
        const [a, b] = [IntervalSet.of(...left), IntervalSet.of(...right)];
        const inA = (number: bigint) => left.some(({ first, last }) => first <= number && number <= last);
        const inB = (number: bigint) => right.some(({ first, last }) => first <= number && number <= last);
        assert.deepEqual(members(a), UNIVERSE.filter(inA));
        assert.deepEqual(
          members(a.union(b)),
          UNIVERSE.filter((number) => inA(number) || inB(number)),
        );
        assert.deepEqual(
          members(a.intersect(b)),
          UNIVERSE.filter((number) => inA(number) && inB(number)),
        );
        assert.deepEqual(
          members(a.minus(b)),
          UNIVERSE.filter((number) => inA(number) && !inB(number)),
        );
        assert.equal(a.isEmpty, left.length === 0);
        assert.equal(a.equals(b), members(a).join() === members(b).join());
      }),
      { numRuns: 1000 },
    );
  });

  it("have one form: ascending, apart, never touching", () => {
    fc.assert(
      fc.property(intervals, intervals, (left, right) => {
        for (const set of [
          IntervalSet.of(...left, ...right),
          IntervalSet.of(...left).minus(IntervalSet.of(...right)),
        ]) {
          set.intervals.forEach(({ first, last }, index) => {
            assert.ok(first <= last);
            const next = set.intervals[index + 1];
            if (next !== undefined) assert.ok(last + 1n < next.first);
          });
        }
      }),
    );
  });

  it("refuse an interval that ends before it begins", () => {
    assert.throws(() => IntervalSet.of({ first: 2n, last: 1n }), /ends at 1, before its begin 2/);
  });
});

describe("port sets", () => {
  it("keep protocols apart", () => {
    const set = PortSet.tcp(80, 443).union(PortSet.udp(53));
    assert.ok(set.has("TCP", 80) && set.has("UDP", 53));
    assert.ok(!set.has("UDP", 80) && !set.has("TCP", 53) && !set.has("SCTP", 80));
    assert.ok(PortSet.tcp(53).intersect(PortSet.udp(53)).isEmpty);
    assert.equal(PortSet.all.minus(PortSet.every("UDP")).toString(), "every TCP port, every SCTP port");
  });
  it("say what they hold", () => {
    assert.equal(PortSet.none.toString(), "no port");
    assert.equal(PortSet.all.toString(), "every port");
    assert.equal(PortSet.range("SCTP", 7, 9).union(PortSet.tcp(1)).toString(), "1/TCP, 7-9/SCTP");
  });
  it("hold no number that is no port", () => {
    for (const port of [0, -1, 65536, 1.5, Number.NaN])
      assert.throws(() => PortSet.tcp(port), /ports go from 1 to 65535/);
  });
});

describe("address sets", () => {
  const parse = (cidr: string) => AddressSet.parse(cidr) ?? assert.fail(cidr);

  for (const [cidr, text] of [
    ["10.1.2.3/8", "10.0.0.0/8"],
    ["0.0.0.0/0", "0.0.0.0/0"],
    ["192.0.2.1/32", "192.0.2.1/32"],
    ["2001:DB8:0:0::1/64", "2001:db8::/64"],
    ["::/0", "::/0"],
    ["::1/128", "::1/128"],
    ["64:ff9b::192.0.2.1/128", "64:ff9b::c000:201/128"],
    ["1:2:3:4:5:6:7:8/127", "1:2:3:4:5:6:7:8/127"],
  ] as const) {
    it(`read ${cidr} as ${text}`, () => {
      assert.equal(parse(cidr).toString(), text);
    });
  }

  for (const cidr of [
    ...[
      "",
      "10.0.0.0",
      "10.0.0/8",
      "10.0.0.0.0/8",
      "010.0.0.0/8",
      "256.0.0.0/8",
      "10.0.0.0/33",
      "10.0.0.0/-1",
      "10.0.0.0/08",
    ],
    ...[
      "10.0.0.0/8/8",
      " 10.0.0.0/8",
      "10.0.0.0/",
      "2001:db8::/129",
      "2001:db8:::/32",
      "fe80::1%eth0/64",
      "::ffff:10.0.0.0/104",
    ],
  ]) {
    it(`don't read '${cidr}'`, () => {
      assert.equal(AddressSet.parse(cidr), undefined);
    });
  }

  it("keep families apart", () => {
    const both = parse("0.0.0.0/0").union(parse("::/0"));
    assert.ok(both.equals(AddressSet.all));
    assert.ok(!parse("::/0").has("10.0.0.1") && parse("::/0").has("::a00:1"));
    assert.equal(both.minus(parse("::/1")).toString(), "0.0.0.0/0, 8000::/1");
  });

  it("write what they read, for any block", () => {
    const block = fc.oneof(
      fc.tuple(fc.ipV4(), fc.nat(32)).map((parts) => parts.join("/")),
      fc.tuple(fc.ipV6(), fc.nat(128)).map((parts) => parts.join("/")),
    );
    fc.assert(
      fc.property(block, block, (first, second) => {
        const [a, b] = [AddressSet.parse(first), AddressSet.parse(second)];
        if (a === undefined || b === undefined) return;
        assert.ok(parse(a.toString()).equals(a));
        assert.ok(a.has(first.split("/")[0] ?? ""));
        assert.equal(a.covers(b), a.union(b).equals(a));
        assert.ok(a.minus(b).union(a.intersect(b)).equals(a));
      }),
    );
  });
});
