import { CliError } from "../exit-status";
import { CATEGORIES } from "./check";
import type { Check } from "./check";
import type { BackendName } from "./discovery/backend";

export interface Selection {
  /** Only what must hold before installation. */
  readonly pre?: true;
  /** Categories and ids; undefined: all. */
  readonly only?: readonly string[];
}

/** Whether a check is of use with a discovery backend. @param backend undefined: the stack can't be read, so that it may be any */
export function concerns({ backend: own }: Check, backend: BackendName | undefined): boolean {
  return own === undefined || backend === undefined || own === backend;
}

/**
 * The checks that are meant, with those that they need, in their order.
 *
 * @param backend the stack's discovery backend: checks of another are left out. Undefined: none is
 * @throws CliError for a word that is neither a category nor an id, or where nothing is left
 */
export function selected(checks: readonly Check[], { pre, only }: Selection, backend?: BackendName): readonly Check[] {
  for (const word of only ?? []) {
    if (!checks.some(({ id, category }) => id === word || category === word))
      throw new CliError(
        `--only ${word}: there is no such category and no such check; categories are ${CATEGORIES.join(", ")}, and docs/check.md lists the checks`,
      );
  }
  for (const { id, backend: own } of checks.filter((check) => !concerns(check, backend)))
    if (only?.includes(id) === true)
      throw new CliError(
        `--only ${id}: it is about ${own ?? ""}, and the stack's discoveryBackend is ${backend ?? ""}`,
      );
  const applicable = checks.filter((check) => concerns(check, backend));
  const meant = applicable.filter(
    ({ id, category, phase }) =>
      (pre !== true || phase === "before") && (only === undefined || only.includes(id) || only.includes(category)),
  );
  if (meant.length === 0)
    throw new CliError("--only names no check that must hold before installation; leave out --pre");
  const wanted = new Set<string>();
  const add = (check: Check) => {
    wanted.add(check.id);
    for (const need of applicable.filter(({ id }) => check.needs?.includes(id))) add(need);
  };
  meant.forEach(add);
  return applicable.filter(({ id }) => wanted.has(id));
}
