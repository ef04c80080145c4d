/** Requests that a rule is about. All that is named must match. */
export interface RequestRule {
  /** Undefined: any. */
  readonly methods?: readonly string[];
  /** Undefined: any. As the application reads them, without the query; one that is exact and has a query is that question alone. */
  readonly paths?: readonly PathPattern[];
}

export type PathPattern = { readonly exact: string } | { readonly prefix: string };

/** One request. A `CONNECT` has no path. */
export interface Request {
  readonly method: string;
  readonly path: string | undefined;
}

/** A rule about everything. */
export const EVERY_REQUEST: RequestRule = {};
/** What opens a plain connection through HTTP. */
export const CONNECT: Request = { method: "CONNECT", path: undefined };

/** A path as documents write it: exact, or a prefix where it ends in `*`. */
export function pathPattern(text: string): PathPattern {
  return text.endsWith("*") ? { prefix: text.slice(0, -1) } : { exact: text };
}

export function matches(rule: RequestRule, { method, path }: Request): boolean {
  return (
    (rule.methods?.includes(method) ?? true) &&
    (rule.paths === undefined || (path !== undefined && rule.paths.some((pattern) => matchesPath(pattern, path))))
  );
}

/** Stands for every name that no rule names: no method and no path of a rule holds it. */
const OTHER = "…";

/**
 * Requests that stand for all that there are, as far as these rules can tell them apart: two sets made of the rules are equal exactly where they hold the
 * same of these. For each exact path itself, and for each prefix the prefix and what goes on as no rule does.
 */
export function representatives(rules: readonly RequestRule[]): readonly Request[] {
  const methods = new Set([OTHER, ...rules.flatMap((rule) => rule.methods ?? [])]);
  const paths = new Set([
    `/${OTHER}`,
    ...rules
      .flatMap((rule) => rule.paths ?? [])
      .flatMap((pattern) => ("exact" in pattern ? [pattern.exact] : [pattern.prefix, `${pattern.prefix}${OTHER}`])),
  ]);
  // What is read best in a message comes first.
  return [...paths].reverse().flatMap((path) => [...methods].reverse().map((method) => ({ method, path })));
}

/** Whether some rules take every request that a rule takes. */
export function isCovered(rule: RequestRule, by: readonly RequestRule[]): boolean {
  return representatives([rule, ...by]).every(
    (request) => !matches(rule, request) || by.some((other) => matches(other, request)),
  );
}

/** `POST /payouts`, `any other method on /height`. */
export function requestText({ method, path }: Request): string {
  const place = path === undefined ? "" : path.endsWith(OTHER) ? ` ${path.slice(0, -1)}<anything>` : ` ${path}`;
  return method === OTHER ? `requests of any other method to${place}` : `${method}${place}`;
}

/** `GET,POST on /height, /blocks/*`; `everything`. */
export function ruleText({ methods, paths }: RequestRule): string {
  const on = paths?.map((pattern) => ("exact" in pattern ? pattern.exact : `${pattern.prefix}*`)).join(", ");
  if (methods === undefined) return on === undefined ? "everything" : `everything on ${on}`;
  return on === undefined ? methods.join() : `${methods.join()} on ${on}`;
}

function matchesPath(pattern: PathPattern, path: string): boolean {
  if ("prefix" in pattern) return path.startsWith(pattern.prefix);
  return pattern.exact === (pattern.exact.includes("?") ? path : path.split("?")[0]);
}
