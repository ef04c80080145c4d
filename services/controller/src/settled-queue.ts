import { KeyedQueue, type QueueOptions } from "./queue.js";

/** How long a key waits for what changes with it; and how the queue behind works. */
export interface SettledQueueOptions extends QueueOptions {
  /** Milliseconds from the first change of a key until it is handled: changes in between go with it. */
  readonly settle: number;
}

/** A queue by key in which changes that come together cost one run. */
export class SettledQueue {
  private readonly queue: KeyedQueue;
  private readonly waiting = new Map<string, NodeJS.Timeout>();
  private stopped = false;

  constructor(
    handle: (key: string) => Promise<void>,
    private readonly options: SettledQueueOptions,
  ) {
    this.queue = new KeyedQueue(handle, options);
  }

  /** Keys that wait, are handled, or are to be tried again. */
  get size(): number {
    return this.waiting.size + this.queue.size;
  }

  /** Something of the key has changed. */
  add(key: string): void {
    if (this.stopped || this.waiting.has(key)) {
      return;
    }
    const timer = setTimeout(() => {
      this.waiting.delete(key);
      this.queue.add(key);
    }, this.options.settle);
    this.waiting.set(key, timer);
  }

  /** Takes no more work and waits for what runs. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.waiting.forEach((timer) => {
      clearTimeout(timer);
    });
    this.waiting.clear();
    await this.queue.stop();
  }
}
