/** How far the clocks of nodes are from the controller's own. */

/** When a question was asked and answered by the controller's clock, and answered by the other one: milliseconds since 1970. */
export interface Dated {
  readonly asked: number;
  readonly answered: number;
  /** The `Date` of the answer, which is cut to the second. */
  readonly date: number;
}

/**
 * Seconds by which the other clock is ahead (above 0) or behind (below 0), at the least: it was somewhere within the second of the `Date`, while the answer was under
 * way. 0 where nothing proves that the clocks differ.
 */
export function aheadBy({ asked, answered, date }: Dated): number {
  const ahead = (date - answered) / 1000;
  const behind = (asked - (date + 1000)) / 1000;
  return ahead > 0 ? ahead : behind > 0 ? -behind : 0;
}

/** Milliseconds for which a clock that was read is told of. */
const LATELY = 120_000;

/** The clocks of the nodes, as pods on them last showed them. */
export class NodeClocks {
  private readonly read = new Map<string, { readonly ahead: number; readonly at: number }>();

  /** A pod of the node has answered. */
  note(node: string, dated: Dated): void {
    this.read.set(node, { ahead: aheadBy(dated), at: dated.answered });
  }

  /** Seconds by which each node's clock is ahead of the controller's. */
  ahead(now: number): { readonly node: string; readonly seconds: number }[] {
    for (const [node, { at }] of this.read) if (now - at > LATELY) this.read.delete(node);
    return [...this.read].map(([node, { ahead }]) => ({ node, seconds: ahead }));
  }
}
