/**
 * Milliseconds without a renewal from any node at all that mean that the API server, not the nodes, stopped: kubelets renew
 * every 10 s each.
 */
const STALL = 25_000;

interface Lease {
  /** Time of the renewal by the node's own clock; only ever compared for equality. */
  renewed: string;
  /** When that value was first seen, on the controller's clock. */
  seen: number;
  dead: boolean;
}

/**
 * Tells which nodes are dead by their leases.
 *
 * Time is measured on the controller's own clock from the moment at which it saw a renewal, so that differences between the
 * clocks of machines don't matter. Where nothing is renewed any more, where leases can't be seen, or just after such a time, nobody
 * is taken for dead anew: an API server that was away must not empty the catalogue. A dead node is back when it renews its lease.
 */
export class LeaseClock {
  private leases = new Map<string, Lease>();
  private lastRenewal = Number.NEGATIVE_INFINITY;
  private sighted = false;

  /**
   * @param ttl milliseconds that a lease may go unrenewed
   * @param now monotonic clock, in milliseconds
   */
  constructor(
    private readonly ttl: number,
    private readonly now: () => number,
  ) {}

  /** Whether the node was taken for dead at the last {@link update} and did not renew its lease since. */
  isDead(node: string): boolean {
    return this.leases.get(node)?.dead ?? false;
  }

  /** All nodes taken for dead, sorted. */
  dead(): string[] {
    return [...this.leases]
      .filter(([, lease]) => lease.dead)
      .map(([node]) => node)
      .sort();
  }

  /** Looks at the time; returns the nodes that are taken for dead from now on. */
  update(): string[] {
    const now = this.now();
    if (!this.sighted || now - this.lastRenewal > STALL) {
      return [];
    }
    const died: string[] = [];
    for (const [node, lease] of this.leases) {
      if (!lease.dead && now - lease.seen > this.ttl) {
        lease.dead = true;
        died.push(node);
      }
    }
    return died;
  }

  /**
   * A lease as the API server tells it now.
   *
   * @returns whether a node that was taken for dead is back
   */
  seen(node: string, renewed: string): boolean {
    const known = this.leases.get(node);
    const now = this.now();
    if (known?.renewed === renewed) {
      return false;
    }
    this.leases.set(node, { renewed, seen: now, dead: false });
    if (known === undefined) {
      return false;
    }
    if (now - this.lastRenewal > STALL) {
      // The first renewal after a stall: the others had no chance to renew either.
      for (const lease of this.leases.values()) {
        lease.seen = now;
      }
    }
    this.lastRenewal = now;
    return known.dead;
  }

  /**
   * All leases, after a time in which they were not followed: everyone alive gets a whole TTL again.
   *
   * @returns the nodes that are back
   */
  restart(leases: readonly { readonly node: string; readonly renewed: string }[]): string[] {
    const now = this.now();
    const before = this.leases;
    this.leases = new Map(
      leases.map(({ node, renewed }) => {
        const known = before.get(node);
        return [node, { renewed, seen: now, dead: known?.dead === true && known.renewed === renewed }];
      }),
    );
    this.sighted = true;
    return [...before].filter(([node, { dead }]) => dead && !this.isDead(node)).map(([node]) => node);
  }

  /**
   * The node is no more; what becomes of its pods the API server tells.
   *
   * @returns whether it was taken for dead
   */
  forget(node: string): boolean {
    const dead = this.isDead(node);
    this.leases.delete(node);
    return dead;
  }

  /** Leases can't be seen for the time being. */
  blind(): void {
    this.sighted = false;
  }
}
