import type { Part } from "./catalog";
import type { RunningStep } from "./progress";

/** Where a step's work happens and what it may say. */
export interface StepContext {
  readonly running: RunningStep;
  /** The step's log; new for this run. */
  readonly logFile: string;
  /** Aborted when another step has failed: stop where that is harmless. */
  readonly signal: AbortSignal;
}

/** One part of the toolchain: whether it is there, and how it gets there. */
export interface Step {
  readonly part: Part;
  /** As people read it: `kubernetes 1.34.2`. */
  readonly title: string;
  /** Steps of one lane run one after the other, lanes run side by side. */
  readonly lane: "go" | "python" | "debian";
  /** Estimates for a machine that has nothing of it. */
  readonly coldMinutes: number;
  readonly coldGigabytes: number;
  /** True when nothing is to be done. Cheap: it is asked on each run. */
  isReady(): Promise<boolean>;
  /**
   * What stands in the way, found before anything is begun.
   * @throws Refusal
   */
  check(): Promise<void>;
  /** @throws StepFailure */
  work(context: StepContext): Promise<void>;
}
