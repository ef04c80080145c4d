/** Tries mutations, and says what became of them. */
import { performance } from "node:perf_hooks";
import { ARGUMENTS, argumentFor } from "./equivalent";
import type { Argument } from "./equivalent";
import type { Patient } from "./dev";
import type { Mutation } from "./mutation";

/** What became of the mutations of one kind of object. */
export interface Count {
  tried: number;
  killed: number;
  survived: number;
}

export interface Outcome {
  readonly byObject: ReadonlyMap<string, Count>;
  /** How many each argument is about. */
  readonly argued: ReadonlyMap<Argument, number>;
  /** Titles of mutations that nobody finds and no argument is about. */
  readonly holes: readonly string[];
  /** Mutations that those who judge all resources together were not asked about, and would have found. */
  readonly overlooked: readonly string[];
  readonly seconds: number;
}

/** Of the mutations that those who judge all resources together don't look at, every so many is shown to them all the same. */
const CHECKED = 250;

/** @param isMeant whether a mutation is to be tried */
export function tryAll(patients: readonly Patient[], isMeant: (mutation: Mutation) => boolean): Outcome {
  const byObject = new Map<string, Count>();
  const argued = new Map<Argument, number>();
  const holes: string[] = [];
  const overlooked: string[] = [];
  const began = performance.now();
  let unseen = 0;
  for (const { judges, mutations } of patients) {
    for (const mutation of mutations()) {
      if (!isMeant(mutation)) continue;
      const count = byObject.get(mutation.object) ?? { tried: 0, killed: 0, survived: 0 };
      byObject.set(mutation.object, count);
      count.tried += 1;
      if (judges.finderOf(mutation) !== undefined) {
        count.killed += 1;
        continue;
      }
      count.survived += 1;
      const argument = argumentFor(mutation);
      if (argument === undefined) holes.push(mutation.title);
      else argued.set(argument, (argued.get(argument) ?? 0) + 1);
      if (judges.isSeen(mutation.touches) || unseen++ % CHECKED !== 0) continue;
      if (judges.finderTogether(mutation.change) !== undefined) overlooked.push(mutation.title);
    }
  }
  return { byObject, argued, holes, overlooked, seconds: (performance.now() - began) / 1000 };
}

/** One of each kind: what is done at a place of one service's object needs not be done at another's. */
export function firstOfEachKind(): (mutation: Mutation) => boolean {
  const seen = new Set<string>();
  return ({ kind }) => !seen.has(kind) && seen.add(kind).size > 0;
}

/**
 * Arguments that are about no survivor: they argue about nothing.
 *
 * @param areAllTried whether the rare ones count
 */
export function stale({ argued }: Outcome, areAllTried: boolean): readonly string[] {
  return ARGUMENTS.filter((argument) => !argued.has(argument) && (areAllTried || argument.isRare !== true)).map(
    ({ survives }) => String(survives),
  );
}

/** The outcome as text: a line for each kind of object, and one for each argument. */
export function report({ byObject, argued, seconds }: Outcome): string {
  const objects = [...byObject].sort(([one], [other]) => one.localeCompare(other));
  const total = (key: keyof Count) => objects.reduce((sum, [, count]) => sum + count[key], 0);
  const line = (name: string, { tried, killed, survived }: Count) =>
    `${name}: ${String(tried)} tried, ${String(killed)} found, ${String(survived)} survive`;
  return [
    ...objects.map(([name, count]) => line(name, count)),
    line("all", { tried: total("tried"), killed: total("killed"), survived: total("survived") }),
    "",
    ...[...argued]
      .sort(([, one], [, other]) => other - one)
      .map(([{ why }, count]) => `${String(count)} survive: a change that ${why}`),
    "",
    `in ${seconds.toFixed(0)} s`,
  ].join("\n");
}
