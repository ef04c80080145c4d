/** What is held of one layer of one pod, after several tries. Pure. */
import type { Outcome, Tried } from "./model.js";

/** Tries in a row that must say the same before another thing is told than before: one alone may fall between two rewrites of a packet filter, or into a pod's end. */
export const IN_A_ROW = 3;

export class Standing {
  private held: { readonly tried: Tried; readonly at: number } | undefined;
  private last: Outcome | undefined;
  private inARow = 0;

  /** @param now milliseconds of any clock that never goes back */
  note(tried: Tried, now: number): void {
    this.inARow = tried.outcome === this.last ? this.inARow + 1 : 1;
    this.last = tried.outcome;
    const isFirst = this.held === undefined && tried.outcome === "enforced";
    if (isFirst || tried.outcome === this.held?.tried.outcome || this.inARow >= IN_A_ROW)
      this.held = { tried, at: now };
  }

  /** What is told; undefined before anything is known. What is older than `patience` milliseconds is not known any more. */
  at(now: number, patience: number): Tried | undefined {
    if (this.held === undefined || now - this.held.at <= patience) return this.held?.tried;
    return { outcome: "blind", detail: "it was not asked for long" };
  }

  /**
   * What the next try is for. `routine`: all is as it should be. `doubt`: the last one said otherwise, and too few have to be told. `recovery`: what is told is not as it should be, and the
   * tries go on until it is.
   */
  get next(): "routine" | "doubt" | "recovery" {
    const told = this.held?.tried.outcome;
    if (this.last !== "enforced" && this.last !== told) return "doubt";
    return told === "enforced" ? "routine" : "recovery";
  }
}
