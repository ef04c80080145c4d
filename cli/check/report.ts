/** What was found, for people and for programs. */
import { CATEGORIES } from "./check";
import type { Result, Status } from "./check";
import type { Outcome } from "./runner";

export interface Report {
  readonly stack: string;
  readonly cluster: { readonly context: string; readonly server: string };
  /** When it was asked. */
  readonly time: Date;
  readonly outcomes: readonly Outcome[];
}

/** Findings of a check that are shown to people; JSON has them all. */
const SHOWN = 8;

const SIGNS: Readonly<Record<Status, string>> = { ok: "√", warning: "‼", failure: "×", skipped: "~" };

/** Whether nothing failed. */
export function holds(outcomes: readonly Outcome[]): boolean {
  return outcomes.every(({ result }) => result.status !== "failure");
}

/** The report for a terminal: by category; under what doesn't hold, where, the remedy and where there is more. */
export function reportText({ stack, cluster, outcomes }: Report): string {
  const parts = CATEGORIES.flatMap((category) => {
    const own = outcomes.filter(({ check }) => check.category === category);
    return own.length === 0 ? [] : [[category, "-".repeat(category.length), ...own.map(outcomeText)].join("\n")];
  });
  return [`stack ${stack}, cluster ${cluster.context} (${cluster.server})`, ...parts, summary(outcomes)].join("\n\n");
}

function outcomeText({ check, result }: Outcome): string {
  const more = `see docs/check.md#${check.id}`;
  const lines = (...rest: readonly string[]) =>
    [`${SIGNS[result.status]} ${check.title}`, ...rest.map((line) => `    ${line}`)].join("\n");
  switch (result.status) {
    case "ok":
      return result.detail === undefined ? lines() : `${lines()} (${result.detail})`;
    case "skipped":
      return lines(`skipped: ${result.reason}`, more);
    case "warning":
    case "failure": {
      const { findings } = result;
      const rest = findings.length - SHOWN;
      return lines(
        result.detail,
        ...findings.slice(0, SHOWN).map((finding) => `  ${finding}`),
        ...(rest > 0 ? [`  and ${String(rest)} more, which --json lists`] : []),
        `remedy: ${remedyOf(check.remedy, result)}`,
        more,
      );
    }
  }
}

function remedyOf(usual: string, result: Result): string {
  return "remedy" in result && result.remedy !== undefined ? result.remedy : usual;
}

function summary(outcomes: readonly Outcome[]): string {
  const { ok, warning, failure, skipped } = counts(outcomes);
  const parts = [
    `${String(ok)} hold`,
    ...(warning === 0 ? [] : [`${String(warning)} with a warning`]),
    ...(failure === 0 ? [] : [`${String(failure)} do not hold`]),
    ...(skipped === 0 ? [] : [`${String(skipped)} skipped, of which nothing is known: ${idsOf(outcomes, "skipped")}`]),
  ];
  const sign = failure > 0 ? SIGNS.failure : warning + skipped > 0 ? SIGNS.warning : SIGNS.ok;
  return `${sign} of ${String(outcomes.length)} checks ${parts.join(", ")}`;
}

function idsOf(outcomes: readonly Outcome[], status: Status): string {
  return outcomes.flatMap(({ check, result }) => (result.status === status ? [check.id] : [])).join(", ");
}

function counts(outcomes: readonly Outcome[]): Record<Status, number> {
  const count = (status: Status) => outcomes.filter(({ result }) => result.status === status).length;
  return { ok: count("ok"), warning: count("warning"), failure: count("failure"), skipped: count("skipped") };
}

/** The report as plain data; docs/check.md describes it, and programs depend on it. */
export function reportData({ stack, cluster, time, outcomes }: Report) {
  return {
    stack,
    cluster,
    time: time.toISOString(),
    holds: holds(outcomes),
    counts: counts(outcomes),
    checks: outcomes.map(({ check, result, seconds }) => ({
      id: check.id,
      category: check.category,
      phase: check.phase,
      title: check.title,
      ...result,
      ...(result.status === "ok" || result.status === "skipped" ? {} : { remedy: remedyOf(check.remedy, result) }),
      docs: `docs/check.md#${check.id}`,
      seconds: Math.round(seconds * 1000) / 1000,
    })),
  };
}
