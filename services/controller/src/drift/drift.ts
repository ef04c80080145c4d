import { declaredKey, type DriftClass } from "../../../../mesh/declarations/index.js";
import type { ZoneName } from "../../../../mesh/model.js";
import { aborted, pause, type BackoffBounds } from "../backoff.js";
import type { ApiWriter } from "../election/fence.js";
import { ApiError, type KubernetesApi } from "../kubernetes/api.js";
import type { Log } from "../log.js";
import { SettledQueue } from "../settled-queue.js";
import { filesConfigMap, VERSIONED } from "../inspection/files.js";
import type { SidecarFiles, VersionedFile } from "../inspection/files.js";
import { describeFinding, type Finding } from "./finding.js";
import { FirstLooks } from "./first-looks.js";
import type { LiveObject } from "./live.js";
import type { DriftEvents, DriftRegister } from "./register.js";
import { repair } from "./repair.js";
import { Watches, type WatchesOptions } from "./watches.js";
import { isPulumis, type ZoneDrift } from "./zone-drift.js";

/** Milliseconds from a change to its being judged: what comes with it is judged once. */
const SETTLE = 300;
/** Objects judged, and put right, at the same time. */
const CONCURRENCY = 4;
/** Milliseconds between two looks at what an update was changing. */
const CHANGING_LOOK = 5_000;
/** Milliseconds between two looks at everything: what waits for time alone is found by them. */
const WHOLE_LOOK = 60_000;
/**
 * Milliseconds for which an admission policy that Pulumi wrote is not taken for drift: an update changes those first, has them come into force, and makes the namespaces, before it
 * can write what it declares.
 */
const ADMISSION_PATIENCE = 180_000;
/** Repairs of one object in a row; each waits twice as long (milliseconds) as the one before, the second this long. */
const REPAIRS = 6;
const REPAIR_PAUSE = 1_000;
/** Milliseconds after which a repair is in no row any more. */
const FORGOTTEN = 10 * 60_000;

export interface DriftOptions extends WatchesOptions {
  /** What is put right; the rest is told of. */
  readonly repairs: readonly DriftClass[];
  readonly settle?: number;
  readonly backoff?: BackoffBounds;
  readonly now?: () => number;
}

interface Repairs {
  count: number;
  last: number;
}

/**
 * Compares what there is in the zones with what the program declared, tells of what differs, and puts right what is to be put right. What an update is changing at the moment is
 * left to it.
 */
export class Drift {
  /** Places of what is not as it was declared. */
  private readonly found = new Set<string>();
  private readonly firstSeen = new Map<string, number>();
  private readonly changing = new Set<string>();
  private readonly repairs = new Map<string, Repairs>();
  private readonly queue: SettledQueue;
  private readonly watches: Watches;
  private readonly firstLooks: FirstLooks;
  private readonly now: () => number;
  private signal = new AbortController().signal;

  constructor(
    reader: KubernetesApi,
    private readonly writer: ApiWriter,
    private readonly zones: readonly ZoneDrift[],
    private readonly register: DriftRegister,
    private readonly log: Log,
    private readonly events: DriftEvents,
    private readonly options: DriftOptions,
  ) {
    this.now = options.now ?? Date.now;
    this.queue = new SettledQueue((key) => this.judge(key), {
      concurrency: CONCURRENCY,
      settle: options.settle ?? SETTLE,
      backoff: options.backoff ?? { first: 500, limit: 30_000 },
      failed: (key, error) => {
        this.events.failed(`drift of ${key}`, error);
      },
    });
    const watcher = {
      changed: (zone: ZoneDrift, key: string): void => {
        this.add(zone, key);
      },
      changedAll: (zone: ZoneDrift): void => {
        this.addAll(zone);
        this.events.changed(zone.name, undefined);
      },
      declared: (zone: ZoneDrift): void => {
        this.addAll(zone);
        this.events.changed(zone.name, undefined);
      },
      failed: events.failed,
    };
    this.watches = new Watches(reader, zones, watcher, log, options);
    this.firstLooks = new FirstLooks(zones, {
      haveListed: (zone) => this.watches.haveListed(zone),
      followsAccess: (zone) => this.watches.followsAccess(zone),
      isJudged: () => this.queue.size === 0,
      looked: (name) => {
        this.events.changed(name, undefined);
      },
    });
  }

  /** What of it is left as it is, because it was changed again after each repair. */
  get left(): readonly Finding[] {
    const now = this.now();
    return [...this.found].flatMap((place) => (this.isLeft(place, now) ? (this.register.get(place) ?? []) : []));
  }

  /**
   * What of a service, or of all of its zone, is not as it was declared; `unseen` before all was looked at once, or where nothing was found and what stands at the discovery backend is
   * not shown, or was not for minutes; undefined where nothing is declared.
   */
  of(name: ZoneName, service: string): readonly Finding[] | "unseen" | undefined {
    const zone = this.zones.find((candidate) => candidate.name === name);
    if (zone !== undefined && !this.firstLooks.haveSeen(name)) return "unseen";
    if (zone?.isDeclared !== true) return undefined;
    const found = this.register.of(name, service);
    return found.length === 0 && !this.firstLooks.haveSeenAll(zone) ? "unseen" : found;
  }

  /** An object of a zone, as it is there. */
  liveOf(name: ZoneName, key: string): LiveObject | undefined {
    return this.zones.find((zone) => zone.name === name)?.get(key);
  }

  /** The files of a service's sidecars as they stand in its ConfigMap, and which of them are not as they were declared; undefined before both were seen. */
  filesOf(
    name: ZoneName,
    service: string,
  ): { readonly files: SidecarFiles; readonly undeclared: readonly VersionedFile[] } | undefined {
    const zone = this.zones.find((candidate) => candidate.name === name);
    if (zone?.isDeclared !== true || !this.firstLooks.haveSeen(name)) return undefined;
    const key = declaredKey({ kind: "ConfigMap", namespace: zone.namespace, name: filesConfigMap(service) });
    const files = zone.get(key)?.files;
    if (files === undefined) return undefined;
    try {
      const differing = zone.differingFiles(key, this.now());
      return { files, undeclared: VERSIONED.filter((file) => differing.includes(file)) };
    } catch {
      // Who compares the object has said what is wrong with its declaration.
      return undefined;
    }
  }

  /** Compares until `signal` is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    this.signal = signal;
    await Promise.all([
      this.watches.run(signal),
      this.firstLooks.run(signal),
      this.lookAgain(CHANGING_LOOK),
      this.lookAgain(WHOLE_LOOK),
      aborted(signal),
    ]);
    await this.queue.stop();
  }

  private add(zone: ZoneDrift, key: string): void {
    this.queue.add(`${zone.name}/${key}`);
  }

  private addAll(zone: ZoneDrift): void {
    const own = `${zone.name}/`;
    const found = [...this.found].filter((place) => place.startsWith(own)).map((place) => place.slice(own.length));
    for (const key of new Set([...zone.keys(), ...found])) this.add(zone, key);
  }

  private async lookAgain(milliseconds: number): Promise<void> {
    while (!this.signal.aborted) {
      await pause(milliseconds, this.signal);
      if (milliseconds === CHANGING_LOOK)
        [...this.changing, ...this.found].forEach((key) => {
          this.queue.add(key);
        });
      else
        this.zones.forEach((zone) => {
          this.addAll(zone);
        });
    }
  }

  private async judge(place: string): Promise<void> {
    const slash = place.indexOf("/");
    const key = place.slice(slash + 1);
    const zone = this.zones.find(({ name }) => name === place.slice(0, slash));
    if (zone === undefined) return;
    const now = this.now();
    const judgement = zone.judge(key, now);
    if (judgement.kind === "unseen") return;
    const isChanging =
      judgement.kind === "changing" || (judgement.kind === "drifted" && this.isBefore(place, judgement.finding, now));
    this.changing[isChanging ? "add" : "delete"](place);
    if (judgement.kind !== "drifted") this.firstSeen.delete(place);
    if (judgement.kind === "drifted" && !isChanging) {
      await this.drifted(place, zone, judgement.finding, now);
    } else if (this.found.delete(place)) {
      this.register.settle(place);
    }
  }

  /** Whether an update changed an admission policy, and has not come to write down what it declares. */
  private isBefore(place: string, { class: of, live }: Finding, now: number): boolean {
    const seen = this.firstSeen.get(place) ?? now;
    this.firstSeen.set(place, seen);
    return of === "admission" && isPulumis(live) && now - seen < ADMISSION_PATIENCE;
  }

  private async drifted(place: string, zone: ZoneDrift, finding: Finding, now: number): Promise<void> {
    this.found.add(place);
    await this.register.report(place, finding, this.signal);
    if (this.isRepaired(zone, finding) && this.mayRepair(place, now)) await this.repair(place, zone, finding);
  }

  private async repair(place: string, zone: ZoneDrift, finding: Finding): Promise<void> {
    try {
      await repair(this.writer, finding, zone.declaration.get(finding.key), this.signal);
    } catch (error) {
      // It went, came or changed in between: the watch tells.
      if (error instanceof ApiError && (error.status === 404 || error.status === 409)) return;
      throw error;
    }
    this.events.repaired(finding);
    const text = `${finding.what === "added" ? "taken away" : "put right"}: ${describeFinding(finding)}`;
    this.log.info("drift repaired", { zone: zone.name, class: finding.class, drift: text });
    await this.register.tell(finding, "DriftRepaired", text, this.signal);
    if (this.repairs.get(place)?.count === REPAIRS) {
      const again = `put right ${String(REPAIRS)} times in a row, and left now: ${describeFinding(finding)}`;
      this.log.error("drift left", { zone: zone.name, class: finding.class, drift: again });
      await this.register.tell(finding, "DriftNotRepaired", again, this.signal);
    }
  }

  private isRepaired({ declaration }: ZoneDrift, { class: of, what }: Finding): boolean {
    return this.options.repairs.includes(of) && declaration.isWhole && (what !== "added" || of === "isolation");
  }

  /** Who changes an object again and again is not answered as fast as he is, and in the end left to people. */
  private mayRepair(place: string, now: number): boolean {
    const before = this.repairs.get(place) ?? { count: 0, last: 0 };
    const count = now - before.last < FORGOTTEN ? before.count : 0;
    const wait = count === 0 ? 0 : REPAIR_PAUSE * 2 ** (count - 1);
    if (count >= REPAIRS || now - before.last < wait) return false;
    this.repairs.set(place, { count: count + 1, last: now });
    return true;
  }

  private isLeft(place: string, now: number): boolean {
    const { count, last } = this.repairs.get(place) ?? { count: 0, last: 0 };
    return count >= REPAIRS && now - last < FORGOTTEN;
  }
}
