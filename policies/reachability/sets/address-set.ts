import { isIPv4, isIPv6 } from "node:net";
import { IntervalSet } from "./interval-set";
import type { Interval } from "./interval-set";

type Family = "IPv4" | "IPv6";

const BITS: Readonly<Record<Family, number>> = { IPv4: 32, IPv6: 128 };
const EVERYTHING: Readonly<Record<Family, IntervalSet>> = { IPv4: block(0n, 32), IPv6: block(0n, 128) };
/** `::ffff:0:0/96`, IPv4 addresses written as IPv6: some programs take them for the one, some for the other. */
const MAPPED = block(0xffff_0000_0000n, 32);

/** A set of IPv4 and IPv6 addresses. Immutable. */
export class AddressSet {
  static readonly none = new AddressSet(IntervalSet.empty, IntervalSet.empty);
  static readonly all = new AddressSet(EVERYTHING.IPv4, EVERYTHING.IPv6);

  private constructor(
    private readonly v4: IntervalSet,
    private readonly v6: IntervalSet,
  ) {}

  /**
   * The addresses of `10.0.0.0/8` or `2001:db8::/32`; bits below the prefix are ignored, as the API does. Undefined for anything else, and for IPv4
   * addresses in IPv6's clothes.
   */
  static parse(cidr: string): AddressSet | undefined {
    const [text = "", prefixText = "", ...rest] = cidr.split("/");
    const address = parseAddress(text);
    if (address === undefined || rest.length > 0 || !/^(0|[1-9]\d{0,2})$/.test(prefixText)) return undefined;
    const hostBits = BITS[address.family] - Number(prefixText);
    if (hostBits < 0) return undefined;
    const set = block((address.number >> BigInt(hostBits)) << BigInt(hostBits), hostBits);
    if (address.family === "IPv4") return new AddressSet(set, IntervalSet.empty);
    return set.minus(MAPPED).isEmpty ? undefined : new AddressSet(IntervalSet.empty, set);
  }

  static union(sets: Iterable<AddressSet>): AddressSet {
    let all = AddressSet.none;
    for (const set of sets) all = all.union(set);
    return all;
  }

  get isEmpty(): boolean {
    return this.v4.isEmpty && this.v6.isEmpty;
  }

  /** Whether an address (`10.0.0.1`, `2001:db8::1`) is in the set. @throws RangeError for what is no address */
  has(text: string): boolean {
    const address = parseAddress(text);
    if (address === undefined) throw new RangeError(`${text} is no IP address`);
    return (address.family === "IPv4" ? this.v4 : this.v6).has(address.number);
  }

  union(other: AddressSet): AddressSet {
    return new AddressSet(this.v4.union(other.v4), this.v6.union(other.v6));
  }

  intersect(other: AddressSet): AddressSet {
    return new AddressSet(this.v4.intersect(other.v4), this.v6.intersect(other.v6));
  }

  minus(other: AddressSet): AddressSet {
    return new AddressSet(this.v4.minus(other.v4), this.v6.minus(other.v6));
  }

  equals(other: AddressSet): boolean {
    return this.v4.equals(other.v4) && this.v6.equals(other.v6);
  }

  /** Whether every address of `other` is in this set. */
  covers(other: AddressSet): boolean {
    return other.minus(this).isEmpty;
  }

  /** First and last address of each range, IPv4 first, ascending. */
  ranges(): readonly (readonly [first: string, last: string])[] {
    return [
      ...this.v4.intervals.map(({ first, last }) => [format("IPv4", first), format("IPv4", last)] as const),
      ...this.v6.intervals.map(({ first, last }) => [format("IPv6", first), format("IPv6", last)] as const),
    ];
  }

  /** `10.0.0.0/8, 192.0.2.1-192.0.2.9`; `every address`; `no address`. */
  toString(): string {
    if (this.isEmpty) return "no address";
    if (this.equals(AddressSet.all)) return "every address";
    return [
      ...this.v4.intervals.map((interval) => rangeText("IPv4", interval)),
      ...this.v6.intervals.map((interval) => rangeText("IPv6", interval)),
    ].join(", ");
  }
}

function block(first: bigint, hostBits: number): IntervalSet {
  return IntervalSet.of({ first, last: first + (1n << BigInt(hostBits)) - 1n });
}

/** An address as its number. Leading zeros and zone identifiers are refused: not every reader takes them for the same address. */
function parseAddress(text: string): { readonly family: Family; readonly number: bigint } | undefined {
  if (isIPv4(text)) return { family: "IPv4", number: joined(text.split(".").map(Number), 8) };
  if (!isIPv6(text) || text.includes("%")) return undefined;
  const [head = "", tail] = text.split("::");
  const left = groupsOf(head);
  const right = tail === undefined ? [] : groupsOf(tail);
  const gap = tail === undefined ? 0 : 8 - left.length - right.length;
  return { family: "IPv6", number: joined([...left, ...Array<number>(gap).fill(0), ...right], 16) };
}

/** 16-bit groups; the last two may be written as an IPv4 address. */
function groupsOf(text: string): number[] {
  if (text === "") return [];
  return text.split(":").flatMap((group) => {
    if (!group.includes(".")) return [Number.parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split(".").map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}

function joined(parts: readonly number[], bits: number): bigint {
  return parts.reduce((sum, part) => (sum << BigInt(bits)) + BigInt(part), 0n);
}

function rangeText(family: Family, { first, last }: Interval): string {
  const size = last - first + 1n;
  const hostBits = size.toString(2).length - 1;
  const isBlock = size === 1n << BigInt(hostBits) && first % size === 0n;
  return isBlock
    ? `${format(family, first)}/${BITS[family] - hostBits}`
    : `${format(family, first)}-${format(family, last)}`;
}

function format(family: Family, number: bigint): string {
  const bits = family === "IPv4" ? 8 : 16;
  const parts = Array.from({ length: BITS[family] / bits }, (_, index) =>
    Number((number >> BigInt(BITS[family] - bits * (index + 1))) & ((1n << BigInt(bits)) - 1n)),
  );
  if (family === "IPv4") return parts.join(".");
  // The URL parser writes IPv6 addresses in their canonical form (RFC 5952), in brackets.
  return new URL(`http://[${parts.map((part) => part.toString(16)).join(":")}]`).hostname.slice(1, -1);
}
