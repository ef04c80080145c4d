import type { ZoneName } from "../../../../mesh/model.js";
import { meshServicesPath } from "../../../../mesh/custom-resource/index.js";
import { aborted, type BackoffBounds } from "../backoff.js";
import type { SidecarObjects } from "../distribution/objects.js";
import { untoldPods } from "../distribution/distribution.js";
import type { ApiWriter } from "../election/fence.js";
import { ApiError } from "../kubernetes/api.js";
import type { Log } from "../log.js";
import type { Metrics } from "../metrics.js";
import type { Registry } from "../registry/registry.js";
import { SettledQueue } from "../settled-queue.js";
import type { ZoneState } from "../zone.js";
import { saysTheSame, statusOf, type ServiceFacts } from "./conditions.js";
import type { DeclaredService } from "./resource.js";
import type { ServiceStore } from "./store.js";

/** Milliseconds from a change to its being told: what comes and goes with it, a pod being told of new files for one, is not worth a write. */
const SETTLE = 2_000;
/** Statuses written at the same time. */
const CONCURRENCY = 4;

/** One zone: its services, and what there is of them. */
export interface ToldZone {
  /** What of a service, or of its zone, is not as it was declared; `unseen` before it was looked at, undefined where nothing is declared. */
  readonly drift: (service: string) => readonly string[] | "unseen" | undefined;
  readonly zone: ZoneState;
  readonly services: ServiceStore;
  readonly objects: SidecarObjects;
}

/** Timing, changed in tests. */
export interface StatusWriterOptions {
  readonly settle?: number;
  readonly backoff?: BackoffBounds;
  /** Milliseconds without a successful comparison of a zone after which nothing is known of its registrations. */
  readonly patience: number;
  readonly now?: () => number;
}

/**
 * Writes the status of each `MeshService`, where it is not as it should be. Each write is of the version that was read: what another wrote since is not
 * overwritten, but looked at anew.
 */
export class StatusWriter {
  private readonly queue: SettledQueue;
  private readonly begun: number;
  private readonly now: () => number;
  private signal = new AbortController().signal;

  constructor(
    private readonly api: ApiWriter,
    private readonly zones: readonly ToldZone[],
    private readonly registry: Pick<Registry, "steps">,
    private readonly log: Log,
    private readonly metrics: Pick<Metrics, "statusWritten">,
    failed: (where: string, error: unknown) => void,
    private readonly options: StatusWriterOptions,
  ) {
    this.now = options.now ?? Date.now;
    this.begun = this.now();
    this.queue = new SettledQueue((key) => this.tell(key), {
      concurrency: CONCURRENCY,
      settle: options.settle ?? SETTLE,
      backoff: options.backoff ?? { first: 500, limit: 30_000 },
      failed: (key, error) => {
        failed(`status of ${key}`, error);
      },
    });
  }

  /** Tells until `signal` is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    this.signal = signal;
    for (const { zone } of this.zones) {
      this.zoneChanged(zone.name);
    }
    await aborted(signal);
    await this.queue.stop();
  }

  /** Something of a service has changed. */
  serviceChanged(zone: ZoneName, service: string): void {
    this.queue.add(`${zone}/${service}`);
  }

  /** Something of a zone has changed, or was looked at anew: of its services those are told that are not as their status says. */
  zoneChanged(name: ZoneName): void {
    const told = this.zoneOf(name);
    for (const service of told?.services.all() ?? []) {
      if (told !== undefined && this.next(told, service) !== undefined) {
        this.serviceChanged(name, service.name);
      }
    }
  }

  private async tell(key: string): Promise<void> {
    const [zone = "", name = ""] = key.split("/");
    const told = this.zoneOf(zone);
    const service = told?.services.get(name);
    const status = told === undefined || service === undefined ? undefined : this.next(told, service);
    if (told === undefined || service === undefined || status === undefined) {
      return;
    }
    const { namespace } = told.services;
    // What is not said any more is taken out.
    const certificate = status.certificate === undefined ? null : { renewal: null, ...status.certificate };
    const fields = { metadata: { resourceVersion: service.version }, status: { ...status, certificate } };
    try {
      const path = `${meshServicesPath(namespace)}/${encodeURIComponent(name)}/status`;
      told.services.written(await this.api.patch(path, fields, this.signal));
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) {
        // Declared no more; the watch will tell.
        return;
      }
      throw error;
    }
    this.metrics.statusWritten(told.zone.name);
    const ready = status.conditions?.find(({ type }) => type === "Ready");
    this.log.debug("status written", { namespace, service: name, ready: ready?.status, reason: ready?.reason });
  }

  /** What is to be written of a service; undefined where nothing is, or nothing can be said yet. */
  private next(told: ToldZone, service: DeclaredService): ReturnType<typeof statusOf> | undefined {
    const facts = this.facts(told, service.name);
    if (facts === undefined) {
      return undefined;
    }
    const now = new Date(this.now()).toISOString().replace(/\.\d+Z$/, "Z");
    const status = statusOf(service, facts, now);
    return saysTheSame(status, service.status) ? undefined : status;
  }

  /** What there is of a service; undefined as long as the zone was not looked at: what the last leader said stands until then. */
  private facts({ zone, objects, drift }: ToldZone, service: string): ServiceFacts | undefined {
    const since = zone.lastSync ?? this.begun;
    const isReadable = zone.known.loaded && this.now() - since < this.options.patience;
    if (!zone.pods.synced || (!isReadable && this.now() - since < this.options.patience)) {
      return undefined;
    }
    const found = drift(service);
    if (found === "unseen" && this.now() - this.begun < this.options.patience) {
      return undefined;
    }
    const pods = [...zone.pods.of(service)];
    const assessed = pods.map((pod) => ({ pod, assessment: zone.assess(pod) }));
    return {
      instances: assessed.flatMap(({ assessment }) => (assessment.kind === "present" ? [assessment.registration] : [])),
      refused: new Map(
        assessed.flatMap(({ pod, assessment }) =>
          assessment.kind === "refused" ? [[pod.name, assessment.reason] as const] : [],
        ),
      ),
      isRegistered: isReadable
        ? (instance) =>
            this.registry.steps(zone.name, instance.pod, instance, zone.known.get(instance.pod)).length === 0
        : undefined,
      untold: untoldPods(pods, objects.digest(service)),
      certificateEnd: objects.certificateEnd(service),
      certificateRenewal: objects.certificateRenewal(service),
      drift: found,
    };
  }

  private zoneOf(name: string): ToldZone | undefined {
    return this.zones.find(({ zone }) => zone.name === name);
  }
}
