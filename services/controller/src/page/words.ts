/** How numbers and times are said. */

/** `3 days`, `5 hours`, `ended`. */
export function timeLeft(seconds: number): string {
  if (seconds <= 0) {
    return "ended";
  }
  const units = [
    ["day", 86_400],
    ["hour", 3_600],
    ["minute", 60],
  ] as const;
  for (const [unit, length] of units) {
    // Two of a unit at least, so that little is lost by cutting off.
    if (seconds >= 2 * length) {
      return counted(Math.floor(seconds / length), unit);
    }
  }
  return "less than 2 minutes";
}

/** `1 pod`, `2 pods`. */
export function counted(count: number, what: string): string {
  return `${String(count)} ${what}${count === 1 ? "" : "s"}`;
}

/** `0.03 /s`. */
export function perSecond(rate: number): string {
  return `${rate === 0 ? "0" : rate >= 100 ? rate.toFixed(0) : rate.toPrecision(2)} /s`;
}

/** `12 ms`. */
export function milliseconds(time: number | null): string {
  return time === null ? "–" : `${time >= 100 ? time.toFixed(0) : time.toPrecision(2)} ms`;
}

/** `99.3 %`; a whole only where it is one. */
export function percent(share: number): string {
  const cut = Math.floor(share * 1_000) / 10;
  return `${share === 1 ? "100" : cut.toFixed(1)} %`;
}
