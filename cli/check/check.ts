/** What a check is, and what it can find. */
import type { CheckContext } from "./context";
import type { BackendName } from "./discovery/backend";

/** Categories, in the order in which they are run and shown. */
export const CATEGORIES = [
  "stack",
  "kubernetes",
  "permissions",
  "network",
  "admission",
  "discovery",
  "identity",
  "sidecars",
  "controller",
  "observability",
] as const;

export type Category = (typeof CATEGORIES)[number];

/**
 * When a check is of use. `before`: it must hold before anything is installed, and ever after. `during`: it tells why an installation doesn't come forward.
 * `after`: it holds of a deployed mesh.
 */
export type Phase = "before" | "during" | "after";

export interface Check {
  /** Unique; a name by words and dashes. Programs depend on it: it never changes its meaning. */
  readonly id: string;
  readonly category: Category;
  /** The discovery backend that it is about; undefined: it is of use with every one. */
  readonly backend?: BackendName;
  readonly phase: Phase;
  /** What holds where it is well, as a sentence without a stop. */
  readonly title: string;
  /** What is looked at, and what can't be told by it. */
  readonly tells: string;
  /** What to do where it doesn't hold, unless the result says something more to the point. */
  readonly remedy: string;
  /** Where there is more: a page below `docs/`, with its anchor. */
  readonly more: string;
  /** Ids of checks without which this one means nothing. They stand before it. */
  readonly needs?: readonly string[];
  /** Longest time for it, in seconds. Default: the run's. */
  readonly seconds?: number;
  run(context: CheckContext): Result | Promise<Result>;
}

export type Result =
  | { readonly status: "ok"; readonly detail?: string }
  | {
      /** `warning`: it will be, or could be, a failure; a person should look. */
      readonly status: "warning" | "failure";
      /** What is wrong, in one line. */
      readonly detail: string;
      /** Where, one line each. */
      readonly findings: readonly string[];
      readonly remedy?: string;
    }
  | { readonly status: "skipped"; readonly reason: string };

export type Status = Result["status"];

/** It holds. */
export function ok(detail?: string): Result {
  return detail === undefined ? { status: "ok" } : { status: "ok", detail };
}

/** It doesn't hold. */
export function failure(detail: string, findings: readonly string[] = [], remedy?: string): Result {
  return { status: "failure", detail, findings, ...(remedy === undefined ? {} : { remedy }) };
}

/** It holds, and a person should look all the same. */
export function warning(detail: string, findings: readonly string[] = [], remedy?: string): Result {
  return { status: "warning", detail, findings, ...(remedy === undefined ? {} : { remedy }) };
}

/** Nothing can be said. */
export function skipped(reason: string): Result {
  return { status: "skipped", reason };
}

/**
 * Whether nothing was found.
 *
 * @param wrong what findings mean together
 * @param well what to say where there is none
 */
export function judged(
  findings: readonly string[],
  wrong: string,
  well?: string,
  severity: typeof failure | typeof warning = failure,
): Result {
  return findings.length === 0 ? ok(well) : severity(wrong, findings);
}

/** `1 node`, `3 nodes`. */
export function counted(count: number, what: string): string {
  return `${String(count)} ${what}${count === 1 ? "" : "s"}`;
}
