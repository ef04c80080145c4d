/** The whole numbers from `first` to `last`, both included. */
export interface Interval {
  readonly first: bigint;
  readonly last: bigint;
}

/** A set of whole numbers, exact at any size: disjoint, ascending intervals that don't touch. Immutable. */
export class IntervalSet {
  static readonly empty = new IntervalSet([]);

  private constructor(readonly intervals: readonly Interval[]) {}

  /** The numbers of all these intervals, which may overlap. @throws RangeError for an interval that ends before it begins */
  static of(...intervals: readonly Interval[]): IntervalSet {
    const sorted = [...intervals].sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0));
    const merged: Interval[] = [];
    for (const next of sorted) {
      if (next.last < next.first)
        throw new RangeError(`an interval ends at ${next.last}, before its begin ${next.first}`);
      const previous = merged.at(-1);
      if (previous === undefined || next.first > previous.last + 1n) merged.push(next);
      else if (next.last > previous.last) merged[merged.length - 1] = { first: previous.first, last: next.last };
    }
    return merged.length === 0 ? IntervalSet.empty : new IntervalSet(merged);
  }

  get isEmpty(): boolean {
    return this.intervals.length === 0;
  }

  has(number: bigint): boolean {
    return this.intervals.some(({ first, last }) => first <= number && number <= last);
  }

  union(other: IntervalSet): IntervalSet {
    if (this.isEmpty) return other;
    return other.isEmpty ? this : IntervalSet.of(...this.intervals, ...other.intervals);
  }

  intersect(other: IntervalSet): IntervalSet {
    const common: Interval[] = [];
    for (const a of this.intervals) {
      for (const b of other.intervals) {
        const first = a.first > b.first ? a.first : b.first;
        const last = a.last < b.last ? a.last : b.last;
        if (first <= last) common.push({ first, last });
      }
    }
    return IntervalSet.of(...common);
  }

  minus(other: IntervalSet): IntervalSet {
    let rest: Interval[] = [...this.intervals];
    for (const hole of other.intervals) {
      rest = rest.flatMap(({ first, last }) => {
        if (hole.last < first || last < hole.first) return [{ first, last }];
        const left = first < hole.first ? [{ first, last: hole.first - 1n }] : [];
        return hole.last < last ? [...left, { first: hole.last + 1n, last }] : left;
      });
    }
    return IntervalSet.of(...rest);
  }

  equals(other: IntervalSet): boolean {
    return (
      this.intervals.length === other.intervals.length &&
      this.intervals.every(
        ({ first, last }, index) => first === other.intervals[index]?.first && last === other.intervals[index].last,
      )
    );
  }
}
