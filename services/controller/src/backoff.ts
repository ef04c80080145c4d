/** Bounds of a growing delay, in milliseconds. */
export interface BackoffBounds {
  readonly first: number;
  readonly limit: number;
}

/**
 * Milliseconds before attempt number `attempt` (0: the first repetition): doubles up to the limit, of which a random half is
 * taken away, so that many that failed together don't come back together.
 */
export function backoff({ first, limit }: BackoffBounds, attempt: number, random: () => number = Math.random): number {
  const whole = Math.min(limit, first * 2 ** Math.min(attempt, 30));
  return whole / 2 + (whole / 2) * random();
}

/** Waits until `signal` is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
    } else {
      signal.addEventListener(
        "abort",
        () => {
          resolve();
        },
        { once: true },
      );
    }
  });
}

/** Waits; ends at once, without an error, when one of `signals` is aborted. */
export function pause(milliseconds: number, ...signals: readonly AbortSignal[]): Promise<void> {
  return new Promise((resolve) => {
    if (signals.some(({ aborted }) => aborted)) {
      resolve();
      return;
    }
    const end = (): void => {
      clearTimeout(timer);
      for (const signal of signals) signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    for (const signal of signals) signal.addEventListener("abort", end);
  });
}
