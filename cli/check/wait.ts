import { setTimeout as pause } from "node:timers/promises";
import { UnreachableError } from "./cluster/cluster";
import { holds } from "./report";
import type { Outcome } from "./runner";

/** Seconds between two rounds. */
const PAUSE = 3;

/**
 * Runs the checks until they hold, or the time is over; what the last round found. A cluster that gives no answer is asked again, too.
 *
 * @param round runs all of them anew
 * @param seconds from now on; 0: one round
 * @param tell of what is waited for
 * @throws UnreachableError where the last round had no answer
 */
export async function untilHolds(
  round: () => Promise<readonly Outcome[]>,
  seconds: number,
  tell: (text: string) => void,
  wait: (milliseconds: number) => Promise<unknown> = pause,
): Promise<readonly Outcome[]> {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const last = Date.now() + PAUSE * 1000 > deadline;
    try {
      const outcomes = await round();
      if (holds(outcomes) || last) return outcomes;
      const failed = outcomes.filter(({ result }) => result.status === "failure").map(({ check }) => check.id);
      tell(`waiting for ${failed.join(", ")}`);
    } catch (error) {
      if (!(error instanceof UnreachableError) || last) throw error;
      tell(`waiting: ${error.message}`);
    }
    await wait(PAUSE * 1000);
  }
}
