import { IntervalSet } from "./interval-set";

/** Protocols that a NetworkPolicy can name. What it makes of others (ICMP) the API leaves undefined, so they are in no set. */
export const PROTOCOLS = ["TCP", "UDP", "SCTP"] as const;
export type Protocol = (typeof PROTOCOLS)[number];

export const LOWEST_PORT = 1;
export const HIGHEST_PORT = 65535;

const EVERY_NUMBER = IntervalSet.of({ first: BigInt(LOWEST_PORT), last: BigInt(HIGHEST_PORT) });

type Numbers = Readonly<Record<Protocol, IntervalSet>>;

/** A set of ports of each protocol. Immutable. */
export class PortSet {
  static readonly none = new PortSet(sameForEach(IntervalSet.empty));
  static readonly all = new PortSet(sameForEach(EVERY_NUMBER));

  private constructor(private readonly numbers: Numbers) {}

  /** The ports from `first` to `last` of a protocol. @throws RangeError for what is no port */
  static range(protocol: Protocol, first: number, last: number = first): PortSet {
    if (!isPort(first) || !isPort(last))
      throw new RangeError(`${first}-${last}: ports go from ${LOWEST_PORT} to ${HIGHEST_PORT}`);
    const numbers = IntervalSet.of({ first: BigInt(first), last: BigInt(last) });
    return new PortSet({ ...PortSet.none.numbers, [protocol]: numbers });
  }

  /** Every port of one protocol. */
  static every(protocol: Protocol): PortSet {
    return PortSet.range(protocol, LOWEST_PORT, HIGHEST_PORT);
  }

  /** TCP ports, one by one. @throws RangeError for what is no port */
  static tcp(...ports: readonly number[]): PortSet {
    return PortSet.union(ports.map((port) => PortSet.range("TCP", port)));
  }

  /** UDP ports, one by one. @throws RangeError for what is no port */
  static udp(...ports: readonly number[]): PortSet {
    return PortSet.union(ports.map((port) => PortSet.range("UDP", port)));
  }

  static union(sets: Iterable<PortSet>): PortSet {
    let all = PortSet.none;
    for (const set of sets) all = all.union(set);
    return all;
  }

  get isEmpty(): boolean {
    return PROTOCOLS.every((protocol) => this.numbers[protocol].isEmpty);
  }

  has(protocol: Protocol, port: number): boolean {
    return this.numbers[protocol].has(BigInt(port));
  }

  union(other: PortSet): PortSet {
    if (this === PortSet.none) return other;
    return this.combine(other, (mine, theirs) => mine.union(theirs));
  }

  intersect(other: PortSet): PortSet {
    if (this === PortSet.all) return other;
    return other === PortSet.all ? this : this.combine(other, (mine, theirs) => mine.intersect(theirs));
  }

  minus(other: PortSet): PortSet {
    return this.combine(other, (mine, theirs) => mine.minus(theirs));
  }

  equals(other: PortSet): boolean {
    return PROTOCOLS.every((protocol) => this.numbers[protocol].equals(other.numbers[protocol]));
  }

  /** Whether the two have a port in common. */
  meets(other: PortSet): boolean {
    return !this.intersect(other).isEmpty;
  }

  /** First and last port of each range, per protocol, ascending. */
  ranges(protocol: Protocol): readonly (readonly [first: number, last: number])[] {
    return this.numbers[protocol].intervals.map(({ first, last }) => [Number(first), Number(last)]);
  }

  /** `15001/TCP, 8000-8010/UDP`; `every port`; `no port`. */
  toString(): string {
    if (this.isEmpty) return "no port";
    if (this.equals(PortSet.all)) return "every port";
    return PROTOCOLS.flatMap((protocol) =>
      this.numbers[protocol].equals(EVERY_NUMBER)
        ? [`every ${protocol} port`]
        : this.ranges(protocol).map(([first, last]) => `${first === last ? first : `${first}-${last}`}/${protocol}`),
    ).join(", ");
  }

  private combine(other: PortSet, combination: (mine: IntervalSet, theirs: IntervalSet) => IntervalSet): PortSet {
    return new PortSet({
      TCP: combination(this.numbers.TCP, other.numbers.TCP),
      UDP: combination(this.numbers.UDP, other.numbers.UDP),
      SCTP: combination(this.numbers.SCTP, other.numbers.SCTP),
    });
  }
}

export function isPort(value: number): boolean {
  return Number.isInteger(value) && value >= LOWEST_PORT && value <= HIGHEST_PORT;
}

export function isProtocol(value: string): value is Protocol {
  return PROTOCOLS.some((protocol) => protocol === value);
}

function sameForEach(set: IntervalSet): Numbers {
  return { TCP: set, UDP: set, SCTP: set };
}
