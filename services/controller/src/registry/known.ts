import type { Actual } from "./registry.js";

/**
 * What the controller knows of one zone's part of the registry, by pod: the last snapshot, and on top of it its own writes since.
 *
 * A snapshot may take many requests, and writes go on meanwhile; for a pod that was written of after the snapshot began the write
 * is the newer truth. Memory is bounded by the pods of the last snapshot and the writes since.
 */
export class KnownRegistry {
  private entries = new Map<string, Exclude<Actual, undefined>>();
  private readonly writes = new Map<string, { sequence: number; pending: number }>();
  private sequence = 0;
  private read = false;

  /** Whether a snapshot was ever taken; before, nothing can be concluded from an entry that is missing. */
  get loaded(): boolean {
    return this.read;
  }

  get(pod: string): Actual {
    return this.entries.get(pod);
  }

  /** All pods known to stand there. */
  pods(): Iterable<string> {
    return this.entries.keys();
  }

  /** Call before a snapshot is read; give the result to {@link observe}. */
  beginRead(): number {
    return this.sequence;
  }

  /** Takes a complete snapshot. */
  observe(snapshot: ReadonlyMap<string, object>, begun: number): void {
    const entries = new Map<string, Exclude<Actual, undefined>>(snapshot);
    for (const [pod, write] of this.writes) {
      if (write.pending === 0 && write.sequence <= begun) {
        this.writes.delete(pod);
        continue;
      }
      const own = this.entries.get(pod);
      if (own === undefined) {
        entries.delete(pod);
      } else {
        entries.set(pod, own);
      }
    }
    this.entries = entries;
    this.read = true;
  }

  /**
   * Makes a change of all that stands for a pod known while and after it is written.
   *
   * @param result what stands there after `write`; undefined where nothing does
   * @throws what `write` throws; the pod is then `unknown` until the next write or snapshot
   */
  async writing(pod: string, result: object | undefined, write: () => Promise<void>): Promise<void> {
    this.mark(pod, 1);
    this.entries.set(pod, "unknown");
    try {
      await write();
      if (result === undefined) {
        this.entries.delete(pod);
      } else {
        this.entries.set(pod, result);
      }
    } finally {
      this.mark(pod, -1);
    }
  }

  /** Changes a part of what stands for a pod. What is known of it stays: the next snapshot tells what is left. */
  async changing(pod: string, write: () => Promise<void>): Promise<void> {
    this.mark(pod, 1);
    try {
      await write();
    } finally {
      this.mark(pod, -1);
    }
  }

  private mark(pod: string, change: 1 | -1): void {
    this.sequence += 1;
    this.writes.set(pod, {
      sequence: this.sequence,
      pending: (this.writes.get(pod)?.pending ?? 0) + change,
    });
  }
}
