import { NO_LEASE, type EtcdStore } from "./store.js";

/**
 * The one lease on which all records of a zone hang. Were it one for each instance, they would run out one after the other when nobody renews them, and resolvers
 * would keep the last answer that was left: a single instance. As it is, all of them go at the same revision, and the last answer is the whole one.
 */
export class ZoneLease {
  private lease = NO_LEASE;

  /** @param seconds that the records live when nobody renews them */
  constructor(
    private readonly store: EtcdStore,
    private readonly seconds: number,
  ) {}

  /** The present one; {@link NO_LEASE} where there is none yet. */
  get id(): string {
    return this.lease;
  }

  /**
   * Makes sure that there is one: the present one, one on which records hang already (a controller before this one left it), or a new one.
   *
   * @param leases on which the zone's records hang
   */
  async ensure(leases: Iterable<string>): Promise<void> {
    if (this.lease !== NO_LEASE && (await this.store.hasLease(this.lease, this.seconds))) {
      return;
    }
    for (const found of new Set(leases)) {
      if (found !== NO_LEASE && found !== this.lease && (await this.store.hasLease(found, this.seconds))) {
        this.lease = found;
        await this.renew();
        return;
      }
    }
    this.lease = await this.store.grantLease(this.seconds);
  }

  /** The present one, or a new one: nothing is written that would stay for ever. */
  async held(): Promise<string> {
    if (this.lease === NO_LEASE) {
      this.lease = await this.store.grantLease(this.seconds);
    }
    return this.lease;
  }

  /** Renews it. One that is no more is found missing by the next comparison, which writes everything anew. */
  async renew(): Promise<void> {
    if (this.lease !== NO_LEASE && !(await this.store.renewLease(this.lease))) {
      this.lease = NO_LEASE;
    }
  }
}
