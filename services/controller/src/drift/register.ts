import type { DriftClass } from "../../../../mesh/declarations/index.js";
import type { ZoneName } from "../../../../mesh/model.js";
import type { ApiWriter } from "../election/fence.js";
import type { Log } from "../log.js";
import { eventOf, type Reason } from "./events.js";
import { describeFinding, signatureOf, type Finding } from "./finding.js";

/** Who is told. */
export interface DriftEvents {
  /** What is known of the drift of a service has changed; of all of the zone's where `service` is undefined. */
  readonly changed: (zone: ZoneName, service: string | undefined) => void;
  readonly found: (finding: Finding) => void;
  readonly repaired: (finding: Finding) => void;
  readonly failed: (where: string, error: unknown) => void;
}

/** Everything that is not as it was declared, whoever found it, by its place. What is found is told once, until it is another. */
export class DriftRegister {
  private readonly found = new Map<string, Finding>();
  private readonly told = new Map<string, string>();

  constructor(
    private readonly writer: ApiWriter,
    private readonly log: Log,
    private readonly events: DriftEvents,
    /** Who tells: the replica's name. */
    private readonly instance: string,
    private readonly now: () => number = Date.now,
  ) {}

  get findings(): Iterable<Finding> {
    return this.found.values();
  }

  /** What of a service, or of all of its zone, is not as it was declared. */
  of(zone: ZoneName, service: string): readonly Finding[] {
    return [...this.found.values()].filter(
      (finding) => finding.zone === zone && (finding.service ?? service) === service,
    );
  }

  get(place: string): Finding | undefined {
    return this.found.get(place);
  }

  /** Something is not as it was declared. */
  async report(place: string, finding: Finding, signal: AbortSignal): Promise<void> {
    this.found.set(place, finding);
    const signature = signatureOf(finding);
    if (this.told.get(place) === signature) return;
    this.told.set(place, signature);
    this.events.found(finding);
    this.events.changed(finding.zone, finding.service);
    const text = describeFinding(finding);
    this.log.warn("drift", { zone: finding.zone, class: finding.class, drift: text });
    await this.tell(finding, reasonOf(finding.class), text, signal);
  }

  /** What stood there is as declared again, or is gone. */
  settle(place: string): void {
    const finding = this.found.get(place);
    if (finding === undefined) return;
    this.found.delete(place);
    this.told.delete(place);
    this.log.info("as declared again", { zone: finding.zone, object: finding.key });
    this.events.changed(finding.zone, undefined);
  }

  /** Writes an Event. One that can't be written is no reason to leave the drift. */
  async tell(finding: Finding, reason: Reason, text: string, signal: AbortSignal): Promise<void> {
    const now = new Date(this.now()).toISOString().replace(/\.\d+Z$/, "Z");
    const { path, body } = eventOf(finding, reason, text, this.instance, now);
    try {
      await this.writer.create(path, body, signal);
    } catch (error) {
      if (!signal.aborted) this.events.failed(`event of ${finding.key}`, error);
    }
  }
}

function reasonOf(of: DriftClass): Reason {
  return of === "enforcement" ? "EnforcementLost" : "Drifted";
}
