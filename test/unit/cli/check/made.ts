import type { Check, Result } from "../../../../cli/check/check";

/** A check that says what it is told to. */
export function check(id: string, run: () => Result | Promise<Result>, rest: Partial<Check> = {}): Check {
  const texts = { title: `${id} holds`, tells: "Nothing.", remedy: "do something", more: "check.md" };
  return { id, category: "stack", phase: "before", ...texts, run, ...rest };
}
