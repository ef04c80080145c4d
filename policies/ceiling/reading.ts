import { LUCID_CEILING } from "./lucid";
import type { Ceiling } from "./lucid";
import { ceilingNotes, ceilingProblems } from "./checks";
import { exceptionProblems } from "./exceptions";
import { leaveProblems, withoutEndedLeaves } from "./leaves";
import { parseCeiling } from "./schema";
import type { ManyKey, WrittenCeiling } from "./schema";
import type { Finding } from "../judgement/finding";

/** What reading a configuration of the ceiling needs to know beside it. */
export interface CeilingContext {
  /** Every rule, and whether there may be exceptions to it. */
  readonly rules: ReadonlyMap<string, { readonly takesExceptions?: boolean }>;
  readonly now: Date;
}

export interface CeilingReading {
  /** Undefined where the configuration can't be read: then nothing can be judged. */
  readonly ceiling: Ceiling | undefined;
  /** What is wrong with the configuration; paths are of the configuration. */
  readonly problems: readonly Finding[];
  /** What grants nothing, and is most likely a mistake. */
  readonly notes: readonly Finding[];
}

/** The ceiling with the pack's configuration laid over it. */
export function readCeiling(configuration: unknown, { rules, now }: CeilingContext): CeilingReading {
  const parsed = parseCeiling(configuration);
  if ("problems" in parsed) return { ceiling: undefined, problems: parsed.problems, notes: [] };
  const written = laidOver(LUCID_CEILING, parsed.written);
  const ceiling = withoutEndedLeaves(written, now);
  const impossible = ceilingProblems(ceiling);
  const exceptions = ceiling.exceptions.flatMap((exception, index) =>
    exceptionProblems(exception, `exceptions[${String(index)}]`, rules, now),
  );
  const leaves = leaveProblems(written, now);
  return {
    // An exception that can't be or is over lifts nothing, and everything can be judged without it.
    ceiling: impossible.length > 0 ? undefined : ceiling,
    problems: [...impossible, ...exceptions, ...leaves],
    notes: ceilingNotes(ceiling),
  };
}

function laidOver(base: Ceiling, { also = {}, ...replaced }: WrittenCeiling): Ceiling {
  const given = Object.fromEntries(Object.entries<unknown>(replaced).filter(([, value]) => value !== undefined));
  const ceiling: Ceiling = { ...base, ...given };
  const added = (Object.keys(also) as ManyKey[]).map((key) => [key, together(ceiling[key], also[key])]);
  return { ...ceiling, ...(Object.fromEntries(added) as Partial<Ceiling>) };
}

/** Lists one after the other; maps with both's entries, lists in them likewise. */
function together(one: unknown, other: unknown): unknown {
  if (other === undefined) return one;
  if (Array.isArray(one) && Array.isArray(other)) return [...(one as unknown[]), ...(other as unknown[])];
  if (!isMap(one) || !isMap(other)) return other;
  const merged = Object.entries(other).map(([key, value]) => [
    key,
    Object.hasOwn(one, key) && Array.isArray(value) ? together(one[key], value) : value,
  ]);
  return { ...one, ...Object.fromEntries(merged) } as unknown;
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
