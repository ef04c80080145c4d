import { Stopped } from "./failure";

/** Where progress is written to; `process.stdout` is one. */
export interface ProgressOutput {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

export interface ProgressSettings {
  readonly output: ProgressOutput;
  /** Prefix of each line: who speaks. */
  readonly name: string;
  /** Milliseconds, any origin. */
  readonly now: () => number;
  /** False: whole lines only, no escape codes (not a terminal, or `CI` is set). */
  readonly live: boolean;
  /** Without a live line, a running step says so this often, in seconds. */
  readonly heartbeatSeconds: number;
}

/** A step that runs, as its work sees it. */
export interface RunningStep {
  /** What the step is doing at the moment; shown with the elapsed time, replaced by the next note. */
  note(text: string): void;
}

interface Running {
  readonly title: string;
  readonly started: number;
  spoken: number;
  note: string;
}

/** Settings for this process: live on a terminal, plain lines otherwise and where `CI` is set. */
export function progressSettings(name: string, env: NodeJS.ProcessEnv = process.env): ProgressSettings {
  const output = process.stdout;
  const ci = env.CI !== undefined && env.CI !== "" && env.CI !== "false";
  return { output, name, now: Date.now, live: output.isTTY && !ci && env.TERM !== "dumb", heartbeatSeconds: 30 };
}

/** `4 s`, `1:05`, `1:02:03`. */
export function elapsed(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 60) {
    return `${String(seconds)} s`;
  }
  const two = (value: number) => String(value).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return hours > 0
    ? `${String(hours)}:${two(minutes)}:${two(seconds % 60)}`
    : `${String(minutes)}:${two(seconds % 60)}`;
}

/**
 * Shows steps, several at a time, with the time each takes. On a terminal a last line is rewritten every second;
 * elsewhere each step writes when it begins, ends, and every {@link ProgressSettings.heartbeatSeconds} between.
 */
export class Progress {
  private readonly running = new Set<Running>();
  private timer: NodeJS.Timeout | undefined;
  private liveLine = false;

  public constructor(private readonly settings: ProgressSettings) {}

  /** Writes a line of its own. */
  public say(text: string): void {
    this.clear();
    this.settings.output.write(`${this.settings.name}: ${text}\n`);
    this.draw();
  }

  /** Runs `work` as a step; what it throws is passed on after the step is shown as failed. */
  public async step<T>(title: string, work: (step: RunningStep) => Promise<T>): Promise<T> {
    const now = this.settings.now();
    const entry: Running = { title, started: now, spoken: now, note: "" };
    this.running.add(entry);
    this.timer ??= setInterval(() => {
      this.tick();
    }, 1000).unref();
    if (!this.settings.live) {
      this.say(`${title} …`);
    }
    let ended = "failed after";
    try {
      const result = await work({
        note: (text) => {
          entry.note = text;
        },
      });
      ended = "done in";
      return result;
    } catch (error) {
      ended = error instanceof Stopped ? "stopped after" : ended;
      throw error;
    } finally {
      this.running.delete(entry);
      this.say(`${title}: ${ended} ${elapsed(this.settings.now() - entry.started)}`);
      if (this.running.size === 0) {
        clearInterval(this.timer);
        this.timer = undefined;
      }
    }
  }

  /** Shows the passing of time; called once a second while steps run. */
  public tick(): void {
    if (this.settings.live) {
      this.clear();
      this.draw();
      return;
    }
    const now = this.settings.now();
    for (const entry of this.running) {
      if (now - entry.spoken >= this.settings.heartbeatSeconds * 1000) {
        entry.spoken = now;
        this.say(this.describe(entry));
      }
    }
  }

  private describe(entry: Running): string {
    const time = elapsed(this.settings.now() - entry.started);
    return `${entry.title}: ${time}${entry.note === "" ? "" : `, ${entry.note}`}`;
  }

  private clear(): void {
    if (this.liveLine) {
      this.settings.output.write("\r\u001b[K");
      this.liveLine = false;
    }
  }

  private draw(): void {
    if (!this.settings.live || this.running.size === 0) {
      return;
    }
    const text = [...this.running].map((entry) => this.describe(entry)).join(" · ");
    // A line that wraps can't be rewritten.
    const room = (this.settings.output.columns ?? 80) - 1;
    this.settings.output.write(text.length > room ? `${text.slice(0, room - 1)}…` : text);
    this.liveLine = true;
  }
}
