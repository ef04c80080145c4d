import type { ZoneName } from "../../../mesh/model.js";
import { backoff, pause, type BackoffBounds } from "./backoff.js";
import type { Catalogue } from "./consul/catalogue.js";
import { describe, type Log } from "./log.js";
import type { Metrics } from "./metrics.js";
import { plan, planNode, type Action } from "./plan.js";
import type { Assessment } from "./pod.js";
import { KeyedQueue } from "./queue.js";
import { entryOf, nodeName, podOf, type Registration } from "./registration.js";
import type { ZoneState } from "./zone.js";

/** Nodes written to at the same time. */
const CONCURRENCY = 8;
/** Milliseconds between two looks whether the first list of pods has come. */
const LISTING = 100;
/** Milliseconds until a comparison is made that confirms the first one's repairs. */
const CONFIRMATION = 1_000;

/** What went wrong, for the status page. */
export interface Failure {
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly where: string;
  readonly message: string;
}

/** Failures that are remembered. */
const FAILURES = 20;

export interface ControllerOptions {
  /** Milliseconds between two comparisons of a zone. */
  readonly interval: number;
  /** Delays after failures; default 0.5 s to 30 s. */
  readonly backoff?: BackoffBounds;
}

/**
 * Keeps the catalogue of every zone equal to its pods: each change of a pod is put through at once, and a comparison of the whole
 * zone finds what was missed or changed by others.
 */
export class Controller {
  /** The last failures, oldest first. */
  readonly failures: Failure[] = [];
  private readonly queue: KeyedQueue;
  private readonly bounds: BackoffBounds;
  private readonly zones: ReadonlyMap<ZoneName, ZoneState>;

  constructor(
    zones: readonly ZoneState[],
    private readonly catalogue: Catalogue,
    private readonly log: Log,
    private readonly metrics: Metrics,
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

  /** Nodes with work outstanding. */
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

  /** Notes a failure where people look for it. */
  failed(where: string, error: unknown): void {
    if (this.signal.aborted) {
      return;
    }
    const message = describe(error);
    this.failures.push({ time: Date.now(), where, message });
    this.failures.splice(0, this.failures.length - FAILURES);
    this.log.warn("failed, will be tried again", { where, error: message });
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
      const { interval } = this.options;
      const again = zone.firstSyncDone ? interval : Math.min(zone.pods.synced ? CONFIRMATION : LISTING, interval);
      await pause(failures > 0 ? Math.min(interval, backoff(this.bounds, failures - 1)) : again, this.signal);
    }
  }

  /** Reads a zone's catalogue and has every node that is not as it should be put right. */
  private async compare(zone: ZoneState): Promise<void> {
    const end = this.metrics.startComparison(zone.name);
    const begun = zone.known.beginRead();
    zone.known.observe(await this.catalogue.read(zone.name), begun);
    const nodes = new Set(plan(zone.name, zone.desired(), zone.known.all()).map(({ node }) => node));
    for (const node of nodes) {
      const pod = podOf(zone.name, node);
      if (pod !== undefined) {
        // Consul answered, so whatever failed before may be tried again now.
        this.queue.addNow(keyOf(zone.name, pod));
      }
    }
    zone.comparisons += 1;
    zone.firstSyncDone ||= nodes.size === 0 || zone.comparisons > 1;
    zone.lastSync = Date.now();
    zone.error = undefined;
    end();
  }

  /** Puts one node of the catalogue right. */
  private async converge(key: string): Promise<void> {
    const { zone, pod } = this.parseKey(key);
    const listed = zone.pods.get(pod);
    let assessment: Assessment = listed === undefined ? GONE : zone.assess(listed);
    this.noteRefusal(zone, pod, assessment);
    if (!zone.pods.synced || !zone.known.loaded) {
      // The first comparison will come back to it.
      return;
    }
    const node = nodeName(zone.name, pod);
    if (listed === undefined && zone.known.get(node) !== undefined) {
      assessment = await this.confirmGone(zone, pod);
    }
    const desired = assessment.kind === "present" ? assessment.registration : undefined;
    for (const action of planNode(node, desired, zone.known.get(node))) {
      await this.carryOut(zone, action, assessment);
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

  private async carryOut(zone: ZoneState, action: Action, assessment: Assessment): Promise<void> {
    const { kind, node } = action;
    const result = kind === "register" ? entryOf(action.registration) : undefined;
    const write = (): Promise<void> => this.catalogue.apply(zone.name, action);
    try {
      if (kind === "register" || kind === "deregister") {
        await zone.known.writing(node, result, write);
      } else {
        await zone.known.removing(node, write);
      }
    } catch (error) {
      this.metrics.failure(zone.name, kind);
      throw error;
    }
    this.metrics.done(zone.name, kind);
    this.log.info(DONE[kind], {
      zone: zone.name,
      node,
      ...(kind === "register" ? describeRegistration(action.registration) : {}),
      ...(kind === "deregister" && assessment.kind !== "present" ? { reason: assessment.reason } : {}),
      ...(kind === "remove-service" || kind === "remove-check" ? { id: action.id } : {}),
    });
  }

  private noteRefusal(zone: ZoneState, pod: string, assessment: Assessment): void {
    const before = zone.refusals.get(pod);
    if (assessment.kind !== "refused") {
      zone.refusals.delete(pod);
    } else if (before !== assessment.reason) {
      zone.refusals.set(pod, assessment.reason);
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

const DONE: Readonly<Record<Action["kind"], string>> = {
  register: "registered",
  deregister: "deregistered",
  "remove-service": "foreign service removed",
  "remove-check": "foreign check removed",
};

function keyOf(zone: ZoneName, pod: string): string {
  return `${zone}/${pod}`;
}

function describeRegistration({ service, address, version, ready }: Registration): Record<string, string | boolean> {
  return { service, address, version, ready };
}
