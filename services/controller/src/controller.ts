import type { ZoneName } from "../../../mesh/model.js";
import { backoff, pause, type BackoffBounds } from "./backoff.js";
import type { Failures } from "./failures.js";
import type { Log } from "./log.js";
import type { Metrics } from "./metrics.js";
import type { Assessment } from "./pod.js";
import { KeyedQueue } from "./queue.js";
import type { Registration } from "./registry/registration.js";
import type { Registry, Step } from "./registry/registry.js";
import type { ZoneState } from "./zone.js";

/** Pods written of at the same time. */
const CONCURRENCY = 8;
/** Milliseconds between two looks whether the first list of pods has come. */
const LISTING = 100;
/** Milliseconds until a comparison is made that confirms the first one's repairs. */
const CONFIRMATION = 1_000;

export interface ControllerOptions {
  /** Milliseconds between two comparisons of a zone. */
  readonly interval: number;
  /** Delays after failures; default 0.5 s to 30 s. */
  readonly backoff?: BackoffBounds;
  /** Told after a pod's registration was written, and (without a pod) after a zone was compared or could not be. */
  readonly registered?: (zone: ZoneName, pod: string | undefined) => void;
}

/**
 * Keeps the registry of every zone equal to its pods: each change of a pod is put through at once, and a comparison of the whole
 * zone finds what was missed or changed by others. It is of one term: who leads later begins with one of his own.
 */
export class Controller {
  private readonly queue: KeyedQueue;
  private readonly bounds: BackoffBounds;
  private readonly zones: ReadonlyMap<ZoneName, ZoneState>;

  constructor(
    zones: readonly ZoneState[],
    private readonly registry: Registry,
    private readonly log: Log,
    private readonly metrics: Metrics,
    private readonly failures: Failures,
    private readonly options: ControllerOptions,
    private readonly signal: AbortSignal,
  ) {
    this.zones = new Map(zones.map((zone) => [zone.name, zone]));
    this.bounds = options.backoff ?? { first: 500, limit: 30_000 };
    this.queue = new KeyedQueue((key) => this.converge(key), {
      concurrency: CONCURRENCY,
      backoff: this.bounds,
      failed: (key, error) => {
        this.failed(key, error);
      },
    });
  }

  /** Pods with work outstanding. */
  get backlog(): number {
    return this.queue.size;
  }

  /** A pod appeared, changed or went. */
  podChanged(zone: ZoneName, pod: string): void {
    this.queue.add(keyOf(zone, pod));
  }

  /** Compares all zones again and again, each in its own time, until the controller is stopped. */
  async run(): Promise<void> {
    await Promise.all([...this.zones.values()].map((zone) => this.runZone(zone)));
    await this.queue.stop();
  }

  private failed(where: string, error: unknown): void {
    if (!this.signal.aborted) {
      this.failures.note(where, error);
    }
  }

  private async runZone(zone: ZoneState): Promise<void> {
    let failures = 0;
    while (!this.signal.aborted) {
      try {
        if (zone.pods.synced) {
          await this.compare(zone);
        } else {
          // The watch counts its own failures; here it is only said what is waited for.
          zone.error = new Error(`the pods of ${zone.pods.namespace} were never listed yet`, {
            cause: zone.pods.error,
          });
        }
        failures = 0;
      } catch (error) {
        zone.error = error;
        this.metrics.failure(zone.name, "compare");
        this.failed(`zone ${zone.name}`, error);
        failures += 1;
      }
      this.options.registered?.(zone.name, undefined);
      const { interval } = this.options;
      const again = zone.firstSyncDone ? interval : Math.min(zone.pods.synced ? CONFIRMATION : LISTING, interval);
      await pause(failures > 0 ? Math.min(interval, backoff(this.bounds, failures - 1)) : again, this.signal);
    }
  }

  /** Reads a zone's part of the registry and has every pod that does not stand there as it should put right. */
  private async compare(zone: ZoneState): Promise<void> {
    const end = this.metrics.startComparison(zone.name);
    const begun = zone.known.beginRead();
    zone.known.observe(await this.registry.read(zone.name), begun);
    const desired = zone.desired();
    const pods = [...new Set([...desired.keys(), ...zone.known.pods()])].filter(
      (pod) => this.registry.steps(zone.name, pod, desired.get(pod), zone.known.get(pod)).length > 0,
    );
    for (const pod of pods) {
      // The registry answered, so whatever failed before may be tried again now.
      this.queue.addNow(keyOf(zone.name, pod));
    }
    zone.comparisons += 1;
    zone.firstSyncDone ||= pods.length === 0 || zone.comparisons > 1;
    zone.lastSync = Date.now();
    zone.error = undefined;
    end();
  }

  /** Puts right how one pod stands in the registry. */
  private async converge(key: string): Promise<void> {
    const { zone, pod } = this.parseKey(key);
    const listed = zone.pods.get(pod);
    let assessment: Assessment = listed === undefined ? GONE : zone.assess(listed);
    this.noteRefusal(zone, pod, assessment);
    if (!zone.pods.synced || !zone.known.loaded) {
      // The first comparison will come back to it.
      return;
    }
    if (listed === undefined && zone.known.get(pod) !== undefined) {
      assessment = await this.confirmGone(zone, pod);
    }
    const desired = assessment.kind === "present" ? assessment.registration : undefined;
    for (const step of this.registry.steps(zone.name, pod, desired, zone.known.get(pod))) {
      await this.carryOut(zone, pod, step, assessment);
    }
  }

  /** Before a registration is taken away because its pod isn't listed, the API server is asked for that one pod. */
  private async confirmGone(zone: ZoneState, pod: string): Promise<Assessment> {
    const found = await zone.pods.read(pod, this.signal);
    if (found === undefined) {
      return GONE;
    }
    const assessment = zone.assess(found);
    if (assessment.kind === "present") {
      this.log.warn("pod exists although it was not listed; its registration stays", { zone: zone.name, pod });
    }
    return assessment;
  }

  private async carryOut(zone: ZoneState, pod: string, step: Step, assessment: Assessment): Promise<void> {
    const { kind, after, carryOut } = step;
    try {
      if (after === "unread") {
        await zone.known.changing(pod, carryOut);
      } else {
        await zone.known.writing(pod, after.entry, carryOut);
      }
    } catch (error) {
      this.metrics.failure(zone.name, kind);
      throw error;
    }
    this.metrics.done(zone.name, kind);
    this.options.registered?.(zone.name, pod);
    this.log.info(step.done, { zone: zone.name, pod, ...describeAssessment(assessment) });
  }

  private noteRefusal(zone: ZoneState, pod: string, assessment: Assessment): void {
    const before = zone.toldRefusals.get(pod);
    if (assessment.kind !== "refused") {
      zone.toldRefusals.delete(pod);
    } else if (before !== assessment.reason) {
      zone.toldRefusals.set(pod, assessment.reason);
      this.log.error("pod refused", { zone: zone.name, pod, reason: assessment.reason });
    }
  }

  private parseKey(key: string): { zone: ZoneState; pod: string } {
    const [name = "", pod = ""] = key.split("/");
    const zone = [...this.zones.values()].find((candidate) => candidate.name === name);
    if (zone === undefined) {
      throw new Error(`no zone ${name}`);
    }
    return { zone, pod };
  }
}

const GONE: Assessment = { kind: "absent", reason: "gone" };

function keyOf(zone: ZoneName, pod: string): string {
  return `${zone}/${pod}`;
}

function describeAssessment(assessment: Assessment): Record<string, string | boolean> {
  return assessment.kind === "present" ? describeRegistration(assessment.registration) : { reason: assessment.reason };
}

function describeRegistration({ service, address, version, ready }: Registration): Record<string, string | boolean> {
  return { service, address, version, ready };
}
