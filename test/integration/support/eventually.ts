/** What kubelet takes at most by its defaults to bring a changed ConfigMap or Secret to a pod, and a margin. */
export const SYNC_SECONDS = 150;

const PAUSE_MS = 250;

/**
 * Tries until it succeeds, and hands back what it gave.
 *
 * @throws Error with the last failure, once `seconds` have passed.
 */
export async function eventually<T>(what: string, attempt: () => Promise<T>, seconds = 60): Promise<T> {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > deadline) {
        throw new Error(
          `${what}: not within ${seconds} s; last: ${error instanceof Error ? error.message : String(error)}`,
          { cause: error },
        );
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}
