import { z } from "zod";
import type { LeaseClock } from "../lease-clock.js";
import type { KubernetesApi } from "./api.js";
import { follow, type FollowOptions } from "./follow.js";

/** Namespace in which each kubelet renews a lease that is named for its node. */
const LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases";
/** Milliseconds between two looks at the clock. */
const TICK = 1_000;

const schema = z.object({
  metadata: z.object({ name: z.string().min(1) }),
  spec: z.object({ renewTime: z.string().nullish() }).optional(),
});

/** Who is told what the leases show. */
export interface LeaseEvents {
  /** These nodes are taken for dead from now on, or are so no longer. */
  readonly changed: (nodes: readonly string[], dead: boolean) => void;
  readonly failed: (error: unknown) => void;
}

/** Follows the leases of all nodes and says which nodes are dead. */
export class NodeLeases {
  private trouble: unknown;

  constructor(
    private readonly api: KubernetesApi,
    private readonly clock: LeaseClock,
    private readonly events: LeaseEvents,
    private readonly options: FollowOptions = {},
  ) {}

  /** Why leases can't be seen at the moment: while they can't, no node is taken for dead. */
  get error(): unknown {
    return this.trouble;
  }

  isDead(node: string): boolean {
    return this.clock.isDead(node);
  }

  /** All nodes taken for dead, sorted. */
  dead(): string[] {
    return this.clock.dead();
  }

  /** Follows the leases until `signal` is aborted. */
  async follow(signal: AbortSignal): Promise<void> {
    const timer = setInterval(() => {
      this.tell(this.clock.update(), true);
    }, TICK);
    try {
      await follow(
        this.api,
        { path: LEASES },
        {
          read: parse,
          replaced: (leases) => {
            const back = this.clock.restart(leases);
            this.trouble = undefined;
            this.tell(back, false);
          },
          changed: ({ node, renewed }) => {
            this.tell(this.clock.seen(node, renewed) ? [node] : [], false);
          },
          deleted: ({ node }) => {
            this.tell(this.clock.forget(node) ? [node] : [], false);
          },
          failed: (error) => {
            this.trouble = error;
            this.clock.blind();
            this.events.failed(error);
          },
        },
        signal,
        this.options,
      );
    } finally {
      clearInterval(timer);
    }
  }

  private tell(nodes: readonly string[], dead: boolean): void {
    if (nodes.length > 0) {
      this.events.changed(nodes, dead);
    }
  }
}

function parse(object: unknown): { node: string; renewed: string } {
  const { metadata, spec } = schema.parse(object);
  return { node: metadata.name, renewed: spec?.renewTime ?? "" };
}
