/**
 * Instants of the document: the end of a call. Kept as text in one form, `2026-12-31T18:00:00Z`, which sorts as time does; so nothing here needs a
 * clock, and what "now" is, the program says.
 */

/** A date, or a date and time of UTC with an accuracy of seconds (RFC 3339, section 5.6). */
const FORM = /^(\d{4})-(\d{2})-(\d{2})(?:T(\d{2}):(\d{2}):(\d{2})Z)?$/;

/** First instant that a call must not use: a date lasts until it is over, a time until it comes. Undefined for what is neither. */
export function endOf(until: string): string | undefined {
  const match = FORM.exec(until);
  if (match === null) return undefined;
  const [year = 0, month = 0, day = 0, hour, minute = 0, second = 0] = match
    .slice(1)
    .map((part: string | undefined) => (part === undefined ? undefined : Number(part)));
  if (year < 1970 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return undefined;
  if (hour !== undefined) return hour > 23 || minute > 59 || second > 59 ? undefined : until;
  if (day < daysIn(year, month)) return midnight(year, month, day + 1);
  return month < 12 ? midnight(year, month + 1, 1) : midnight(year + 1, 1, 1);
}

/**
 * Whether an end has come.
 *
 * @param now an instant as `Date.prototype.toISOString` writes it; parts of a second are left out
 */
export function isOver(end: string, now: string): boolean {
  return `${now.slice(0, 19)}Z` >= end;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}

function midnight(year: number, month: number, day: number): string {
  const two = (value: number) => String(value).padStart(2, "0");
  return `${String(year).padStart(4, "0")}-${two(month)}-${two(day)}T00:00:00Z`;
}
