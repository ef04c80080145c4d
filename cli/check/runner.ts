import { CliError } from "../exit-status";
import { failure, skipped } from "./check";
import type { Check, Result } from "./check";
import { ClusterError, UnreachableError } from "./cluster/cluster";
import type { CheckContext } from "./context";

/** A check that was run, or that could not be. */
export interface Outcome {
  readonly check: Check;
  readonly result: Result;
  /** How long it took. */
  readonly seconds: number;
}

/** Longest time for a check that says nothing else, in seconds. */
export const TIME_LIMIT = 20;

/**
 * Runs checks one after the other, in their order. A check whose `needs` did not hold, or could not be told, is skipped.
 *
 * @param limit seconds for each
 * @throws UnreachableError where the cluster gives no answer: then nothing can be said of it
 */
export async function runChecks(
  checks: readonly Check[],
  context: CheckContext,
  limit: number = TIME_LIMIT,
): Promise<readonly Outcome[]> {
  const outcomes = new Map<string, Outcome>();
  for (const check of checks) {
    const begun = performance.now();
    const missing = (check.needs ?? []).flatMap((id) => hindrance(id, outcomes.get(id)) ?? []);
    const result =
      missing.length > 0 ? skipped(missing.join("; ")) : await runOne(check, context, check.seconds ?? limit);
    outcomes.set(check.id, { check, result, seconds: (performance.now() - begun) / 1000 });
  }
  return [...outcomes.values()];
}

/** Why a check can't be built upon. */
function hindrance(id: string, outcome: Outcome | undefined): string | undefined {
  switch (outcome?.result.status) {
    case "ok":
    case "warning":
      return undefined;
    case "failure":
      return `it needs ${id}, which does not hold`;
    case "skipped":
      return `it needs ${id}, which was skipped`;
    case undefined:
      return `it needs ${id}, which was not run`;
  }
}

async function runOne(check: Check, context: CheckContext, limit: number): Promise<Result> {
  const timer = new AbortController();
  const late = new Promise<Result>((resolve) => {
    const timeout = setTimeout(() => {
      resolve(
        failure(
          `it could not be told within ${String(limit)} s`,
          [],
          "look why the cluster is slow to answer, and run it again",
        ),
      );
    }, limit * 1000);
    timer.signal.addEventListener("abort", () => {
      clearTimeout(timeout);
    });
  });
  try {
    return await Promise.race([Promise.resolve(check.run(context)), late]);
  } catch (error) {
    return unable(error);
  } finally {
    timer.abort();
  }
}

/** What is to be said of a check that ended by an error. @throws UnreachableError */
function unable(error: unknown): Result {
  if (error instanceof UnreachableError) throw error;
  if (error instanceof ClusterError && (error.status === 403 || error.status === 401))
    return skipped(`the API server does not let this user ask: ${error.message}`);
  if (error instanceof ClusterError && error.status === 404)
    return skipped(`the API server has no such thing: ${error.message}`);
  if (error instanceof ClusterError || error instanceof CliError) return failure(error.message);
  return failure(error instanceof Error ? error.message : String(error));
}
