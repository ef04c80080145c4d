import type { AnswerTimes } from "../kubernetes/api.js";

/** Milliseconds by which clocks may differ before somebody is told. The API server tells whole seconds. */
const TOLERATED = 10_000;
/** Answers of which the one that was least under way counts: a request that takes a second says little of the clock. */
const REMEMBERED = 8;

interface Sample {
  readonly skew: number;
  readonly uncertainty: number;
}

/** How far this process's clock is before the API server's, by the dates of the server's answers. */
export class ClockSkew {
  private readonly samples: Sample[] = [];

  /** An answer came. */
  answered({ sent, received, date }: AnswerTimes): void {
    // The date was cut to the second.
    const [middle, server] = [(sent + received) / 2, date + 500];
    this.samples.push({ skew: middle - server, uncertainty: (received - sent) / 2 + 500 });
    this.samples.splice(0, this.samples.length - REMEMBERED);
  }

  /** Milliseconds, positive where this clock is ahead; undefined before an answer came. */
  get milliseconds(): number | undefined {
    const [best] = [...this.samples].sort((one, other) => one.uncertainty - other.uncertainty);
    return best?.skew;
  }

  /** Whether the clocks differ by more than can be put down to measuring. */
  get isNoticeable(): boolean {
    return Math.abs(this.milliseconds ?? 0) > TOLERATED;
  }
}
