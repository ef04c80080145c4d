/** Durations of whole seconds, as a job declares them: `90s`, `15m`, `6h`. */

/** A whole number and its unit; at most 99,999 hours. */
export const JOB_DURATION = /^([1-9]\d{0,4})([smh])$/;

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

/**
 * A duration in seconds.
 *
 * @throws RangeError where the text is no duration: the schema refuses it before
 */
export function seconds(text: string): number {
  const match = JOB_DURATION.exec(text);
  const unit = UNITS[match?.[2] ?? ""];
  if (match === null || unit === undefined) throw new RangeError(`'${text}' is no duration; write it as '90s' or '6h'`);
  return Number(match[1]) * unit;
}
