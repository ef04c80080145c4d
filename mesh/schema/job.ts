/** A service that ends by itself: how it is run. */
import { z } from "zod";
import { JOB_DURATION } from "../jobs/duration";
import { CONCURRENCY_POLICIES } from "../jobs/model";
import { scheduleProblem, timeZoneProblem } from "../jobs/schedule";

/** Kinds of workload that end by themselves. */
export const JOB_KINDS = ["job", "cronjob"] as const;

function pods(least: number, most: number) {
  const range = `from ${String(least)} to ${String(most)}`;
  return z
    .int({ error: `this is no number of pods; write a whole number ${range}` })
    .min(least, { error: `this is too few; write a whole number ${range}` })
    .max(most, { error: `this is too many; write a whole number ${range}` });
}

/** A text of which a function says what is wrong with it. */
function checked(problemOf: (text: string) => string | undefined, mend: string) {
  return z.string().superRefine((text, context) => {
    const problem = problemOf(text);
    if (problem !== undefined) context.addIssue({ code: "custom", message: `${problem}; ${mend}` });
  });
}

export const job = z.strictObject({
  kind: z
    .enum(JOB_KINDS)
    .describe(
      "`job`: runs when it is deployed, and again when what it says is changed. `cronjob`: runs at the times of `schedule`.",
    ),
  schedule: checked(
    scheduleProblem,
    "write minute, hour, day, month and day of the week, as '30 2 * * 1-5', or '@daily'",
  )
    .optional()
    .describe("When a `cronjob` runs, in cron's five fields or as a macro such as `@daily`."),
  timeZone: checked(timeZoneProblem, "name one of the IANA database, as 'Europe/Berlin'")
    .optional()
    .describe("The time zone of `schedule`. Default: Etc/UTC."),
  concurrencyPolicy: z
    .enum(CONCURRENCY_POLICIES)
    .optional()
    .describe(
      "When a run is due and the one before is under way: `Forbid` leaves it out, `Replace` ends the one before, `Allow` runs both. Default: Forbid.",
    ),
  completions: pods(1, 1000).default(1).describe("Pods that must succeed for a run to be complete."),
  parallelism: pods(1, 500).default(1).describe("Pods of a run at once, at most."),
  backoffLimit: pods(0, 100).default(6).describe("Pods of a run that may fail before the run has failed."),
  activeDeadline: z
    .string()
    .regex(JOB_DURATION, {
      error: "this is no duration; write whole seconds, minutes or hours, as '90s', '15m' or '6h'",
    })
    .optional()
    .describe("After this a run is ended, and has failed, all its tries together. Default: it has no end."),
});
