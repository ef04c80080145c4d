import type { ZoneName } from "../../../../mesh/model.js";
import { pause } from "../backoff.js";
import type { ZoneDrift } from "./zone-drift.js";

/** Milliseconds between two looks whether everything was looked at once. */
const INTERVAL = 250;

/** What was seen of zones, and what of it was judged. */
export interface Sight {
  /** Whether the declaration of a zone was seen, and all that is in its namespace. */
  readonly haveListed: (zone: ZoneDrift) => boolean;
  /** Whether who may do what at the discovery backend is compared with a zone's declaration. */
  readonly followsAccess: (zone: ZoneDrift) => boolean;
  /** Whether all that was seen was judged. */
  readonly isJudged: () => boolean;
  /** More of a zone was looked at once. */
  readonly looked: (zone: ZoneName) => void;
}

/** Of which zones everything was looked at once. Before it was, that nothing was found says nothing. */
export class FirstLooks {
  private readonly looked = new Set<ZoneName>();
  private readonly lookedAtAccess = new Set<ZoneName>();

  constructor(
    private readonly zones: readonly ZoneDrift[],
    private readonly sight: Sight,
  ) {}

  /** Whether what stands in a zone's namespace was looked at. */
  haveSeen(name: ZoneName): boolean {
    return this.looked.has(name);
  }

  /** Whether what stands at the discovery backend was, too, not long ago, and is shown: always where it isn't compared with what the zone declares. */
  haveSeenAll(zone: ZoneDrift): boolean {
    if (!this.sight.followsAccess(zone)) return this.looked.has(zone.name);
    const { refused, isOld } = zone.access ?? {};
    return this.lookedAtAccess.has(zone.name) && refused === undefined && isOld !== true;
  }

  /** Looks until there is nothing more to look at for the first time, or `signal` is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const followed = this.zones.filter((zone) => this.sight.followsAccess(zone));
    while (!signal.aborted && (this.looked.size < this.zones.length || this.lookedAtAccess.size < followed.length)) {
      await pause(INTERVAL, signal);
      for (const zone of this.zones) this.note(zone, this.looked, this.sight.haveListed(zone));
      for (const zone of followed)
        this.note(zone, this.lookedAtAccess, this.looked.has(zone.name) && zone.isAccessRead);
    }
  }

  private note({ name }: ZoneDrift, looked: Set<ZoneName>, isSeen: boolean): void {
    if (looked.has(name) || !isSeen || !this.sight.isJudged()) return;
    looked.add(name);
    this.sight.looked(name);
  }
}
