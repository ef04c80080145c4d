import type { CeilingException, CeilingLeave } from "./types";
import type { Finding } from "../judgement/finding";

/** For how long an exception may be made; what is to last longer is asked for again, or becomes a rule's own. */
export const LONGEST_EXCEPTION_DAYS = 366;

const DAY = 24 * 60 * 60 * 1000;

/** The first instant at which an exception no longer holds; undefined for what is no day. */
export function endOf(until: string): Date | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(until)) return undefined;
  const day = new Date(`${until}T00:00:00Z`);
  // February has no 30th, whatever Date makes of it.
  if (Number.isNaN(day.getTime()) || day.toISOString().slice(0, 10) !== until) return undefined;
  return new Date(day.getTime() + DAY);
}

/** Whether an exception holds at an instant. */
export function holds({ until }: Pick<CeilingLeave, "until">, now: Date): boolean {
  const end = endOf(until);
  return end !== undefined && now < end && end.getTime() - now.getTime() <= (LONGEST_EXCEPTION_DAYS + 1) * DAY;
}

/** What is wrong with an exception, beside its form. */
export function exceptionProblems(
  exception: CeilingException,
  path: string,
  rules: ReadonlyMap<string, { readonly takesExceptions?: boolean }>,
  now: Date,
): Finding[] {
  const problems: Finding[] = [];
  const rule = rules.get(exception.rule);
  if (rule === undefined) {
    problems.push({
      path: `${path}.rule`,
      problem: `there is no rule \`${exception.rule}\``,
      mend: "name one of docs/policies/README.md",
    });
  } else if (rule.takesExceptions !== true) {
    problems.push({
      path: `${path}.rule`,
      problem: `${exception.rule} takes no exceptions`,
      mend: `mend the object; why, and which key of the ceiling may help, says docs/policies/${exception.rule}.md`,
    });
  }
  return [...problems, ...endProblems(`the exception for ${exception.object}`, exception, path, now)];
}

/** What is wrong with the end of something that is let be. @param what `the exception for Deployment lucid-ops/admin-ui` */
export function endProblems(what: string, leave: CeilingLeave, path: string, now: Date): Finding[] {
  const problem = endProblem(what, leave, now);
  return problem === undefined ? [] : [{ path: `${path}.until`, ...problem }];
}

function endProblem(what: string, leave: CeilingLeave, now: Date): Omit<Finding, "path"> | undefined {
  const { until, owner } = leave;
  const end = endOf(until);
  if (end === undefined) {
    return { problem: `\`${until}\` is no day`, mend: "write the last day on which it holds, as YYYY-MM-DD" };
  }
  if (now >= end) {
    return {
      problem: `${what} ended with ${until}; ${owner} answers for it`,
      mend: `mend the object and take the ${kindOf(what)} out, or have the ceiling's owner prolong it`,
    };
  }
  if (holds(leave, now)) return undefined;
  return {
    problem: `the ${kindOf(what)} would hold for more than ${String(LONGEST_EXCEPTION_DAYS)} days`,
    mend: "take an earlier day; it can be prolonged when it comes",
  };
}

/** `exception` of `the exception for …`. */
function kindOf(what: string): string {
  return what.split(" ")[1] ?? what;
}

/** The exceptions that hold, and which of them lifted something. */
export class Exceptions {
  private readonly used = new Set<CeilingException>();
  private readonly holding: readonly CeilingException[];

  constructor(exceptions: readonly CeilingException[], now: Date) {
    this.holding = exceptions.filter((exception) => holds(exception, now));
  }

  /** Whether a finding of a rule in an object is let be. */
  lift(rule: string, object: string, { path, problem }: Finding): boolean {
    const lifting = this.holding.filter(
      (exception) =>
        exception.rule === rule &&
        exception.object === object &&
        exception.finding === problem &&
        (exception.path === undefined || exception.path === path),
    );
    for (const exception of lifting) this.used.add(exception);
    return lifting.length > 0;
  }

  /** Those that lifted nothing so far. */
  unused(): readonly CeilingException[] {
    return this.holding.filter((exception) => !this.used.has(exception));
  }
}
