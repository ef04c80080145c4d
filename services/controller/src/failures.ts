import { describe, type Log } from "./log.js";

/** What went wrong, for the status page. */
export interface Failure {
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly where: string;
  readonly message: string;
}

/** Failures that are remembered. */
const REMEMBERED = 20;

/** The last failures, where people look for them: in the log and on the status page. */
export class Failures {
  private readonly last: Failure[] = [];

  /** @param signal once it is aborted, failures are those of what was broken off, and nobody is told */
  constructor(
    private readonly log: Log,
    private readonly signal: AbortSignal,
  ) {}

  /** Oldest first. */
  get list(): readonly Failure[] {
    return this.last;
  }

  /** Something failed that is tried again. */
  note(where: string, error: unknown): void {
    if (this.signal.aborted) {
      return;
    }
    const message = describe(error);
    this.last.push({ time: Date.now(), where, message });
    this.last.splice(0, this.last.length - REMEMBERED);
    this.log.warn("failed, will be tried again", { where, error: message });
  }
}
