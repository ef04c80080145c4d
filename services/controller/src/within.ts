/**
 * Does work that is given up when `signal` is aborted, and after so many milliseconds.
 *
 * `AbortSignal.any` would do, but for what it leaves of each in a signal that outlives it (Node 20, some 50 bytes): a leader asks every sidecar every few seconds, by one that lasts as
 * long as it leads.
 *
 * @param work gives up by the signal that it is given
 * @throws what `work` throws, as it does where it is given up
 */
export async function within<T>(
  milliseconds: number,
  signal: AbortSignal,
  work: (limited: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = new AbortController();
  const giveUp = (): void => {
    limit.abort(signal.reason);
  };
  const timer = setTimeout(() => {
    limit.abort(new DOMException(`it took more than ${String(milliseconds)} ms`, "TimeoutError"));
  }, milliseconds);
  timer.unref();
  signal.addEventListener("abort", giveUp);
  if (signal.aborted) giveUp();
  try {
    return await work(limit.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", giveUp);
  }
}
