import type { Actual } from "./plan.js";
import type { CatalogueEntry } from "./registration.js";

/**
 * What the controller knows of one zone's part of the catalogue: the last snapshot, and on top of it its own writes since.
 *
 * A snapshot takes many requests, and writes go on meanwhile; for a node that was written to after the snapshot began the write
 * is the newer truth. Memory is bounded by the nodes of the last snapshot and the writes since.
 */
export class KnownCatalogue {
  private entries = new Map<string, CatalogueEntry | "unknown">();
  private readonly writes = new Map<string, { sequence: number; pending: number }>();
  private sequence = 0;
  private read = false;

  /** Whether a snapshot was ever taken; before, nothing can be concluded from an entry that is missing. */
  get loaded(): boolean {
    return this.read;
  }

  get(node: string): Actual {
    return this.entries.get(node);
  }

  /** All nodes known, ours and others'. */
  all(): ReadonlyMap<string, Actual> {
    return this.entries;
  }

  /** Call before a snapshot is read; give the result to {@link observe}. */
  beginRead(): number {
    return this.sequence;
  }

  /** Takes a complete snapshot. */
  observe(snapshot: readonly CatalogueEntry[], begun: number): void {
    const entries = new Map<string, CatalogueEntry | "unknown">(snapshot.map((entry) => [entry.node, entry]));
    for (const [node, write] of this.writes) {
      if (write.pending === 0 && write.sequence <= begun) {
        this.writes.delete(node);
        continue;
      }
      const own = this.entries.get(node);
      if (own === undefined) {
        entries.delete(node);
      } else {
        entries.set(node, own);
      }
    }
    this.entries = entries;
    this.read = true;
  }

  /**
   * Makes a change of a whole node known while and after it is written.
   *
   * @param result the node's entry after `write`; undefined where it is gone
   * @throws what `write` throws; the node is then `unknown` until the next write or snapshot
   */
  async writing(node: string, result: CatalogueEntry | undefined, write: () => Promise<void>): Promise<void> {
    this.mark(node, 1);
    this.entries.set(node, "unknown");
    try {
      await write();
      if (result === undefined) {
        this.entries.delete(node);
      } else {
        this.entries.set(node, result);
      }
    } finally {
      this.mark(node, -1);
    }
  }

  /** Takes a part of a node away. What is known of the node stays: the next snapshot tells what is left. */
  async removing(node: string, write: () => Promise<void>): Promise<void> {
    this.mark(node, 1);
    try {
      await write();
    } finally {
      this.mark(node, -1);
    }
  }

  private mark(node: string, change: 1 | -1): void {
    this.sequence += 1;
    this.writes.set(node, {
      sequence: this.sequence,
      pending: (this.writes.get(node)?.pending ?? 0) + change,
    });
  }
}
