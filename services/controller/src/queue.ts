import { backoff, type BackoffBounds } from "./backoff.js";

/** How a queue works. */
export interface QueueOptions {
  /** Keys handled at the same time; one key never is twice. */
  readonly concurrency: number;
  /** Delay before a key that failed is handled again. */
  readonly backoff: BackoffBounds;
  /** Told of every failure; the queue goes on by itself. */
  readonly failed: (key: string, error: unknown) => void;
}

interface Item {
  state: "queued" | "running" | "waiting";
  /** Asked for again while it was running. */
  again: boolean;
  /** Failures in a row. */
  failures: number;
  timer?: NodeJS.Timeout;
}

/**
 * Work queue by key. Only keys are kept, each once: a handler looks up the present state when its turn comes, so a burst of
 * changes costs one run, and memory is bounded by the number of keys.
 */
export class KeyedQueue {
  private readonly items = new Map<string, Item>();
  private readonly ready: string[] = [];
  private running = 0;
  private stopped = false;
  private idleWaiters: (() => void)[] = [];

  constructor(
    private readonly handle: (key: string) => Promise<void>,
    private readonly options: QueueOptions,
  ) {}

  /** Keys queued, running, or waiting for another try. */
  get size(): number {
    return this.items.size;
  }

  /** Has `key` handled soon; a key that failed keeps its delay. */
  add(key: string): void {
    this.enqueue(key, false);
  }

  /** Has `key` handled now, its delay cut short: for when the cause of failures is known to be over. */
  addNow(key: string): void {
    this.enqueue(key, true);
  }

  /** Takes no more work and waits for what runs; what is queued is dropped. */
  async stop(): Promise<void> {
    this.stopped = true;
    for (const [key, item] of this.items) {
      clearTimeout(item.timer);
      if (item.state !== "running") {
        this.items.delete(key);
      }
    }
    this.ready.length = 0;
    if (this.running > 0) {
      await new Promise<void>((resolve) => this.idleWaiters.push(resolve));
    }
  }

  private enqueue(key: string, now: boolean): void {
    if (this.stopped) {
      return;
    }
    const item = this.items.get(key);
    if (item === undefined) {
      this.items.set(key, { state: "queued", again: false, failures: 0 });
      this.ready.push(key);
    } else if (item.state === "running") {
      item.again = true;
    } else if (item.state === "waiting" && now) {
      this.requeue(key, item);
    }
    this.pump();
  }

  private requeue(key: string, item: Item): void {
    clearTimeout(item.timer);
    item.state = "queued";
    this.ready.push(key);
  }

  private pump(): void {
    while (this.running < this.options.concurrency) {
      const key = this.ready.shift();
      const item = key === undefined ? undefined : this.items.get(key);
      if (key === undefined || item === undefined) {
        return;
      }
      void this.run(key, item);
    }
  }

  private async run(key: string, item: Item): Promise<void> {
    item.state = "running";
    item.again = false;
    this.running += 1;
    try {
      await this.handle(key);
      item.failures = 0;
      this.settle(key, item);
    } catch (error) {
      this.options.failed(key, error);
      this.retryLater(key, item);
    } finally {
      this.running -= 1;
      if (this.running === 0) {
        this.idleWaiters.splice(0).forEach((resolve) => {
          resolve();
        });
      }
      this.pump();
    }
  }

  private settle(key: string, item: Item): void {
    if (item.again && !this.stopped) {
      this.requeue(key, item);
    } else {
      this.items.delete(key);
    }
  }

  private retryLater(key: string, item: Item): void {
    if (this.stopped) {
      this.items.delete(key);
      return;
    }
    item.state = "waiting";
    item.timer = setTimeout(
      () => {
        this.requeue(key, item);
        this.pump();
      },
      backoff(this.options.backoff, item.failures),
    );
    item.failures += 1;
  }
}
