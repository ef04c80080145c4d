/** Durations as a document writes them: `250ms`, `15s`, `2m`. */

/** A number with at most three decimals and its unit. */
export const DURATION = /^(\d{1,7}(?:\.\d{1,3})?)(ms|s|m)$/;

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000 };

/**
 * A duration in milliseconds, rounded to whole ones.
 *
 * @throws RangeError where the text is no duration: the schema refuses it before
 */
export function milliseconds(text: string): number {
  const match = DURATION.exec(text);
  const unit = UNITS[match?.[2] ?? ""];
  if (match === null || unit === undefined)
    throw new RangeError(`'${text}' is no duration; write it as '250ms' or '15s'`);
  return Math.round(Number(match[1]) * unit);
}

/** Milliseconds as a person writes them: `250 ms`, `1.5 s`. */
export function showDuration(ms: number): string {
  return ms < 1000 ? `${String(ms)} ms` : `${String(ms / 1000)} s`;
}
