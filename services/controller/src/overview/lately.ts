/** How much is known of what is asked again and again. */
export interface Known<T> {
  /** `never`: no answer yet; `stale`: the last one is too old to be shown as the present. */
  readonly state: "never" | "fresh" | "stale";
  /** When the last answer came; milliseconds since 1970. */
  readonly time: number | undefined;
  /** What it was, where it is of the present. */
  readonly value: T | undefined;
  /** What keeps the next one from coming. */
  readonly error: unknown;
}

/** The last answer to a question that is asked again and again, and what became of the question since. */
export class Lately<T> {
  private last: { readonly value: T; readonly time: number } | undefined;
  private trouble: unknown;

  /** @param stale milliseconds after which an answer is too old */
  constructor(
    private readonly stale: number,
    private readonly now: () => number,
  ) {}

  get known(): Known<T> {
    const { last, trouble: error } = this;
    if (last === undefined) {
      return { state: "never", time: undefined, value: undefined, error };
    }
    const { time, value } = last;
    return this.now() - time > this.stale
      ? { state: "stale", time, value: undefined, error }
      : { state: "fresh", time, value, error };
  }

  answered(value: T): void {
    this.last = { value, time: this.now() };
    this.trouble = undefined;
  }

  /** @returns whether it is the first failure since an answer came */
  failed(error: unknown): boolean {
    const isFirst = this.trouble === undefined;
    this.trouble = error;
    return isFirst;
  }
}
