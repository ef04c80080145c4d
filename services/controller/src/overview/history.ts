import { STATES, type History, type State } from "../../../../mesh/overview/model.js";

/** Seconds between two samples. */
export const SAMPLE_INTERVAL = 60;
/** Samples that are kept: of a day. */
export const SAMPLES = (24 * 3600) / SAMPLE_INTERVAL;
/** Series that are kept at most: twice as many as a mesh of the size that this is made for. */
const MOST_SERIES = 2_048;
/** Nobody looked, or the series did not exist. */
const NONE = 255;

/**
 * How the mesh, its zones and its services were, a sample a minute for a day: one byte each, whatever happens. It is of this replica, and begins when that does.
 */
export class StateHistory {
  private readonly series = new Map<string, Uint8Array>();
  private readonly times = new Float64Array(SAMPLES);
  private next = 0;
  private taken = 0;

  /** Takes a sample: the states of all that there is now. What isn't among them any more is forgotten. */
  sample(time: number, states: ReadonlyMap<string, State>): void {
    for (const name of this.series.keys()) {
      if (!states.has(name)) {
        this.series.delete(name);
      }
    }
    this.times[this.next] = time;
    for (const [name, state] of states) {
      let samples = this.series.get(name);
      if (samples === undefined && this.series.size < MOST_SERIES) {
        samples = new Uint8Array(SAMPLES).fill(NONE);
        this.series.set(name, samples);
      }
      samples?.fill(STATES.indexOf(state), this.next, this.next + 1);
    }
    this.next = (this.next + 1) % SAMPLES;
    this.taken = Math.min(this.taken + 1, SAMPLES);
  }

  /** What is known of one series; undefined where there is none of that name. */
  of(name: string): History | undefined {
    const series = this.series.get(name);
    if (series === undefined) {
      return undefined;
    }
    const counts: Record<State, number> = { well: 0, unknown: 0, degraded: 0, failing: 0 };
    const spans: { from: string; to: string; state: State }[] = [];
    let samples = 0;
    let last = Number.NEGATIVE_INFINITY;
    for (let age = this.taken; age > 0; age -= 1) {
      const index = (this.next - age + SAMPLES) % SAMPLES;
      const state = STATES[series[index] ?? NONE];
      const time = this.times[index] ?? 0;
      if (state === undefined) {
        continue;
      }
      samples += 1;
      counts[state] += 1;
      const span = spans.at(-1);
      // A gap is a time in which this process was stopped.
      if (span?.state === state && time - last < 2.5 * SAMPLE_INTERVAL * 1000) {
        span.to = iso(time);
      } else {
        spans.push({ from: iso(time), to: iso(time), state });
      }
      last = time;
    }
    const share = (state: State): number => (samples === 0 ? 0 : counts[state] / samples);
    const shares = {
      well: share("well"),
      unknown: share("unknown"),
      degraded: share("degraded"),
      failing: share("failing"),
    };
    return { apiVersion: "v1", of: name, interval: SAMPLE_INTERVAL, samples, shares, spans };
  }
}

function iso(time: number): string {
  return new Date(time).toISOString().replace(/\.\d+Z$/, "Z");
}
