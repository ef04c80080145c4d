/** What a look at an object says about its readiness. */
export type Verdict =
  | { readonly state: "ready" }
  /** Not yet; `reasons` say what is missing. */
  | { readonly state: "waiting"; readonly reasons: readonly string[] }
  /** Never any more. */
  | { readonly state: "failed"; readonly reasons: readonly string[] };

export const READY: Verdict = { state: "ready" };

/** Not yet, because of these. */
export function waiting(...reasons: readonly string[]): Verdict {
  return { state: "waiting", reasons };
}

/** Ready when nothing is missing. */
export function readyUnless(missing: readonly string[]): Verdict {
  return missing.length === 0 ? READY : waiting(...missing);
}
