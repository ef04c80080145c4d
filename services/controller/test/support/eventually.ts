import { setTimeout as sleep } from "node:timers/promises";

/**
 * Repeats `check` until it no longer throws.
 *
 * @param limit milliseconds
 * @throws what `check` threw last
 */
export async function eventually<T>(check: () => T | Promise<T>, limit = 10_000): Promise<T> {
  const end = performance.now() + limit;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > end) {
        throw error;
      }
      await sleep(20);
    }
  }
}
