import assert from "node:assert/strict";
import { carriedOut, planned, told, withIssuersPlanned } from "./dev";
import { firstOfEachKind, report, stale, tryAll } from "./tried";

/** How many mutations a message names. */
const NAMED = 60;

/** Which mutations are tried. */
interface Extent {
  /** Of each kind the first, or every one. */
  readonly ofEachKind: "first" | "all";
  /** How many there must be, so that a generator that makes none is seen. */
  readonly atLeast: number;
}

/**
 * Asserts that of the mutations of stack `dev` each is found, or argued to open nothing, and that no argument is about nothing.
 *
 * @returns what became of them, as text
 */
export async function assertArgued({ ofEachKind, atLeast }: Extent): Promise<string> {
  const patients = [await planned(), await withIssuersPlanned(), await told(), await carriedOut()];
  for (const { title, judges } of patients) assert.deepEqual(judges.unchanged(), [], title);
  const outcome = tryAll(patients, ofEachKind === "all" ? () => true : firstOfEachKind());
  const tried = [...outcome.byObject.values()].reduce((sum, count) => sum + count.tried, 0);
  const { holes, overlooked } = outcome;
  assert.deepEqual(overlooked, [], "found by judges that had not looked at the place before");
  assert.deepEqual(
    holes.slice(0, NAMED),
    [],
    `${String(holes.length)} changes that nobody finds and no argument is about; mend the rule that should find it, or argue in test/policies/mutations/equivalent/`,
  );
  assert.deepEqual(stale(outcome, ofEachKind === "all"), [], "arguments about nothing; take them out");
  assert.ok(tried >= atLeast, `only ${String(tried)} changes were tried`);
  return report(outcome);
}
